import { type LocalChannels, type LocalDelivery, NOBODY } from "./local_channels.ts";
import type { PlainMessage } from "./plain_message.ts";

/** A message to a group that was published here, and is delivered here when it comes back. */
export interface Echo {
  readonly group: string;
  readonly plain: PlainMessage;
  readonly except: string | undefined;
}

/**
 * The messages that this process publishes to its own groups, by their frame: expected before they are
 * published, delivered in their turn when they come back.
 *
 * Nothing waits here. The publisher asks for the outcome at a time after which the frame cannot come
 * back any more; one that has not come by then is lost, and counted as such.
 */
export class Echoes {
  readonly #local: LocalChannels;
  readonly #expected = new Map<string, Echo & { delivery: LocalDelivery | undefined }>();

  constructor(local: LocalChannels) {
    this.#local = local;
  }

  expect(frame: string, echo: Echo): void {
    this.#expected.set(frame, { ...echo, delivery: undefined });
  }

  /** Delivers a frame that came back. Returns false for a frame of another process. */
  take(frame: string): boolean {
    const expected = this.#expected.get(frame);
    if (expected === undefined || expected.delivery !== undefined) return false;
    const { group, plain, except } = expected;
    expected.delivery = this.#local.groupDeliver(group, plain, except);
    return true;
  }

  /** Whether a frame is expected and has not come back. */
  isOut(frame: string): boolean {
    const expected = this.#expected.get(frame);
    return expected !== undefined && expected.delivery === undefined;
  }

  /** Returns what became of a frame in this process, and expects it no more. */
  outcome(frame: string): LocalDelivery {
    const expected = this.#expected.get(frame);
    if (expected === undefined) return NOBODY;
    this.#expected.delete(frame);
    return expected.delivery ?? this.#countLost(expected);
  }

  /** Expects a frame no more: the publisher is told that it failed. */
  forget(frame: string): void {
    this.#expected.delete(frame);
  }

  #countLost({ group, except }: Echo): LocalDelivery {
    const dropped = this.#local.countMembers(group, except);
    this.#local.counters.dropped.gap += dropped;
    return { ...NOBODY, dropped };
  }
}
