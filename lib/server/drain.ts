import { CloseCode, Refusal } from "../protocol/mod.ts";
import type { Clock, Connection } from "../scope.ts";

/** Within which time a client should come back that was told to go: its moment is random already. */
const RETRY_MS = 1_000;

/** Ends the connections of a server that is about to stop, spread over a window. */
export class Drain {
  readonly #open: ReadonlySet<Connection>;
  readonly #clock: Clock;
  readonly #random: () => number;
  #endsAt: number | undefined;

  constructor(open: ReadonlySet<Connection>, clock: Clock, random: () => number = Math.random) {
    this.#open = open;
    this.#clock = clock;
    this.#random = random;
  }

  get isDraining(): boolean {
    return this.#endsAt !== undefined;
  }

  /** The answer to a request that comes meanwhile. */
  refusal(): Refusal {
    const leftMs = Math.max(0, (this.#endsAt ?? 0) - this.#clock.now());
    return new Refusal("DRAINING", { retryAfterSeconds: leftMs / 1000 + 1 });
  }

  /** Ends every connection at its own moment of the window; resolves at the end of it, or before. */
  run(windowMs: number): Promise<void> {
    this.#endsAt ??= this.#clock.now() + windowMs;
    const connections = [...this.#open];
    if (connections.length === 0) return Promise.resolve();
    const step = windowMs / connections.length;
    return new Promise((resolve) => {
      let left = connections.length;
      const ended = () => {
        if (--left === 0) resolve();
      };
      connections.forEach((connection, index) => {
        connection.onEnd(ended);
        this.#clock.after((index + this.#random()) * step, () => {
          connection.end(CloseCode.restart, `retry=${RETRY_MS}`);
        });
      });
    });
  }
}
