import type { VNode } from "preact";
import type { Context } from "../context.ts";
import type { Island, Snapshot } from "../build/snapshot.ts";

/** JSX that was passed to an island, and whether it was already shown. */
export interface SlotContent {
  name: string;
  content: unknown;
  shown: boolean;
}

/** The state of one page rendering. */
export class RenderPass {
  /** The nonce of this page's inline scripts and styles. */
  readonly nonce = crypto.randomUUID().replaceAll("-", "");
  /** Islands on the page. */
  readonly islands = new Set<Island>();
  /** Properties of each island element, in order of appearance. */
  readonly islandProps: Record<string, unknown>[] = [];
  readonly slots: SlotContent[] = [];
  /** Elements found in `<Head>`, by their identity. */
  readonly head = new Map<string, VNode>();
  /** The document tags that the page contains itself. */
  readonly seen = { html: false, head: false, body: false };
  /** Whether the scripts are on the page already. */
  hasScripts = false;

  /** Starts a rendering for one request. */
  constructor(
    readonly ctx: Pick<Context<unknown>, "url" | "config" | "error">,
    readonly snapshot: Snapshot,
  ) {}
}

let current: RenderPass | null = null;

/** Returns the current rendering, or `null`. */
export function currentPass(): RenderPass | null {
  return current;
}

/** Runs the synchronous function `render` as part of a pass. */
export function duringPass<T>(pass: RenderPass, render: () => T): T {
  const before = current;
  current = pass;
  try {
    return render();
  } finally {
    current = before;
  }
}
