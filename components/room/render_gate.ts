/** Dependencies and settings of a {@linkcode RenderGate}. */
export interface RenderGateOptions {
  /** Shortest time between two renders, in milliseconds. */
  readonly intervalMs: number;
  /** Returns the milliseconds of a monotonic clock. */
  readonly now?: () => number;
  /** Calls `callback` after `ms` milliseconds, unless the returned function is called before. */
  readonly after?: (ms: number, callback: () => void) => () => void;
}

/**
 * Collects actions so that a page renders at most once per interval. The first action after a quiet
 * interval is rendered at once; the order is kept.
 */
export class RenderGate<A> {
  readonly #render: (actions: readonly A[]) => void;
  readonly #options: Required<RenderGateOptions>;
  #waiting: A[] = [];
  #renderedAt = -Infinity;
  #cancel: (() => void) | undefined;

  constructor(render: (actions: readonly A[]) => void, options: RenderGateOptions) {
    this.#render = render;
    this.#options = { now: () => performance.now(), after, ...options };
  }

  /** Adds an action to the next render. */
  add(action: A): void {
    this.#waiting.push(action);
    if (this.#cancel !== undefined) return;
    const leftMs = this.#renderedAt + this.#options.intervalMs - this.#options.now();
    if (leftMs <= 0) this.flush();
    else this.#cancel = this.#options.after(leftMs, () => this.flush());
  }

  /** Renders all pending actions now, so that the user's own action is shown at once. */
  flush(): void {
    this.stop();
    if (this.#waiting.length === 0) return;
    const actions = this.#waiting;
    this.#waiting = [];
    this.#renderedAt = this.#options.now();
    this.#render(actions);
  }

  /** Cancels the next render. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
