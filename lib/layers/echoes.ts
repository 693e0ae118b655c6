import { type LocalChannels, type LocalDelivery, NOBODY } from "./local_channels.ts";
import type { PlainMessage } from "./plain_message.ts";

/** A message to a group that was published here, and is delivered here when it comes back. */
export interface Echo {
  readonly group: string;
  readonly plain: PlainMessage;
  readonly except: string | undefined;
}

interface Expected extends Echo {
  settle(delivery: LocalDelivery | "lost"): void;
}

/** The messages of this process that are on their way back to it. */
export class Echoes {
  readonly #local: LocalChannels;
  readonly #expected = new Map<string, Expected>();

  constructor(local: LocalChannels) {
    this.#local = local;
  }

  /**
   * Expects a frame. `outcome()` says what became of it here, and is asked once it is known that it was
   * published; `forget()` takes it back, where it was not.
   */
  expect(frame: string, echo: Echo): { outcome(): Promise<LocalDelivery>; forget(): void } {
    const { promise, resolve } = Promise.withResolvers<LocalDelivery | "lost">();
    this.#expected.set(frame, { ...echo, settle: resolve });
    return {
      outcome: async () => {
        const delivery = await promise;
        return delivery === "lost" ? this.#countLost(echo) : delivery;
      },
      forget: () => void this.#expected.delete(frame),
    };
  }

  /** Delivers what came back. Returns false for a frame of somebody else. */
  take(frame: string): boolean {
    const expected = this.#expected.get(frame);
    if (expected === undefined) return false;
    this.#expected.delete(frame);
    const { group, plain, except } = expected;
    expected.settle(this.#local.groupDeliver(group, plain, except));
    return true;
  }

  /** The group has no member here any more, so that its messages do not come back. */
  groupEnded(group: string): void {
    this.#settle(group, NOBODY);
  }

  /** Nothing of what was published to a group comes back any more. */
  groupLost(group: string): void {
    this.#settle(group, "lost");
  }

  /** Nothing of what was published comes back any more. */
  lost(): void {
    for (const { settle } of this.#expected.values()) settle("lost");
    this.#expected.clear();
  }

  #settle(group: string, delivery: LocalDelivery | "lost"): void {
    for (const [frame, expected] of this.#expected) {
      if (expected.group !== group) continue;
      this.#expected.delete(frame);
      expected.settle(delivery);
    }
  }

  #countLost({ group, except }: Echo): LocalDelivery {
    const dropped = this.#local.countMembers(group, except);
    this.#local.counters.dropped.gap += dropped;
    return { ...NOBODY, dropped };
  }
}
