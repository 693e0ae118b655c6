import type { VNode } from "preact";
import type { Context } from "../context.ts";
import type { Island, Snapshot } from "../snapshot.ts";

/** JSX that was passed to an island, and whether the island has shown it yet. */
export interface SlotContent {
  name: string;
  content: unknown;
  shown: boolean;
}

/** What one rendering of a page has come across. */
export class RenderPass {
  /** Allows this page's inline scripts and styles. */
  readonly nonce = crypto.randomUUID().replaceAll("-", "");
  /** Islands on the page. */
  readonly islands = new Set<Island>();
  /** Properties of each island element, in order of appearance. */
  readonly islandProps: Record<string, unknown>[] = [];
  readonly slots: SlotContent[] = [];
  /** Elements found in `<Head>`, by what makes two of them the same. */
  readonly head = new Map<string, VNode>();
  /** Which of these tags the page brought itself. */
  readonly seen = { html: false, head: false, body: false };
  /** Whether the scripts are on the page already. */
  hasScripts = false;

  /** Begins a rendering for one request. */
  constructor(
    readonly ctx: Pick<Context<unknown>, "url" | "config" | "error">,
    readonly snapshot: Snapshot,
  ) {}
}

let current: RenderPass | null = null;

/** The rendering under way, or `null` outside of one. */
export function currentPass(): RenderPass | null {
  return current;
}

/** Runs `render`, which must not wait for anything, as part of a pass. */
export function duringPass<T>(pass: RenderPass, render: () => T): T {
  const before = current;
  current = pass;
  try {
    return render();
  } finally {
    current = before;
  }
}
