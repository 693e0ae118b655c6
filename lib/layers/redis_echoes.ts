import type { PlainMessage } from "./plain_message.ts";
import { type LocalDelivery, NOBODY } from "./local_channels.ts";

/** What was published here, and is delivered here when it comes back. */
export interface Echo {
  readonly group: string;
  readonly plain: PlainMessage;
  readonly except: string | undefined;
}

interface Expected extends Echo {
  settle(outcome: LocalDelivery | "lost"): void;
}

/** The messages of this process that are on their way back to it. */
export class RedisEchoes {
  readonly #expected = new Map<string, Expected>();

  /**
   * Expects a frame. Resolves with what became of it, or with `lost`: the connection ended before.
   * `forget` takes it back, where publishing failed.
   */
  expect(frame: string, echo: Echo): { outcome: Promise<LocalDelivery | "lost">; forget(): void } {
    const { promise, resolve } = Promise.withResolvers<LocalDelivery | "lost">();
    this.#expected.set(frame, { ...echo, settle: resolve });
    return { outcome: promise, forget: () => void this.#expected.delete(frame) };
  }

  /** Delivers what came back. Returns false for a frame of somebody else. */
  take(frame: string, deliver: (echo: Echo) => LocalDelivery): boolean {
    const expected = this.#expected.get(frame);
    if (expected === undefined) return false;
    this.#expected.delete(frame);
    expected.settle(deliver(expected));
    return true;
  }

  /** The group has no member here any more, so that its messages do not come back. */
  groupEnded(group: string): void {
    for (const [frame, expected] of this.#expected) {
      if (expected.group !== group) continue;
      this.#expected.delete(frame);
      expected.settle(NOBODY);
    }
  }

  /** The connection is over. */
  lost(): void {
    for (const { settle } of this.#expected.values()) settle("lost");
    this.#expected.clear();
  }
}
