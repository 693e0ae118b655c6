import type { LocalChannels } from "../local/local_channels.ts";
import { type LocalDelivery, NOBODY } from "../local/local_channel.ts";
import type { PlainMessage } from "../input.ts";

/** A message to a group that this process published, and delivers when the bus returns it. */
export interface PendingPublish {
  readonly group: string;
  readonly plain: PlainMessage;
  readonly except: string | undefined;
}

/**
 * Messages that this process published to its own groups, by frame. They are registered before they
 * are published, and delivered in bus order when they come back.
 *
 * Nothing waits here. The publisher reads the outcome at a time when the frame can no longer come
 * back; a frame that has not come back by then is counted as lost.
 */
export class PendingOwnPublishes {
  readonly #local: LocalChannels;
  readonly #expected = new Map<string, PendingPublish & { delivery: LocalDelivery | undefined }>();

  constructor(local: LocalChannels) {
    this.#local = local;
  }

  expect(frame: string, echo: PendingPublish): void {
    this.#expected.set(frame, { ...echo, delivery: undefined });
  }

  /** Delivers a returned frame. Returns false for a frame of another process. */
  take(frame: string): boolean {
    const expected = this.#expected.get(frame);
    if (expected === undefined || expected.delivery !== undefined) return false;
    const { group, plain, except } = expected;
    expected.delivery = this.#local.groups.deliver(group, plain, except);
    return true;
  }

  /** Whether a frame is expected and has not come back yet. */
  isOut(frame: string): boolean {
    const expected = this.#expected.get(frame);
    return expected !== undefined && expected.delivery === undefined;
  }

  /** Returns the local outcome of a frame, and stops expecting it. */
  outcome(frame: string): LocalDelivery {
    const expected = this.#expected.get(frame);
    if (expected === undefined) return NOBODY;
    this.#expected.delete(frame);
    return expected.delivery ?? this.#countLost(expected);
  }

  /** Stops expecting a frame whose publisher got an error. */
  forget(frame: string): void {
    this.#expected.delete(frame);
  }

  #countLost({ group, except }: PendingPublish): LocalDelivery {
    const dropped = this.#local.groups.count(group, except);
    this.#local.counters.dropped.gap += dropped;
    return { ...NOBODY, dropped };
  }
}
