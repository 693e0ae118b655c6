import assert from "node:assert/strict";
import type { ChannelLayer, LayerGap } from "@sluice/sluice/layers";
import { LayerError } from "@sluice/sluice/layers";

/** A successful send; times are in milliseconds since the epoch. */
type Sent = readonly [number: number, began: number, ended: number];

/** The report of {@linkcode Traffic}. */
export interface TrafficReport {
  readonly sent: readonly Sent[];
  /** Messages whose send was refused. */
  readonly refused: number;
  /** The duration of the slowest call, in milliseconds. */
  readonly slowest: number;
}

/** Sends a numbered message every few milliseconds, without waiting for the previous one. */
export class Traffic {
  readonly #sent: Sent[] = [];
  readonly #calls = new Set<Promise<void>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #refused = 0;
  #slowest = 0;
  #number = 0;

  constructor(send: (number: number) => Promise<unknown>) {
    this.#timer = setInterval(() => this.#send(send), 2);
  }

  /** Sends to a group, with the number as data. */
  static toGroup(layer: ChannelLayer, group: string): Traffic {
    return new Traffic((data) => layer.groupSend(group, { type: "n", data }));
  }

  async stop(): Promise<TrafficReport> {
    clearInterval(this.#timer);
    await Promise.all(this.#calls);
    return { sent: this.#sent, refused: this.#refused, slowest: this.#slowest };
  }

  #send(send: (number: number) => Promise<unknown>): void {
    const [number, began] = [this.#number++, Date.now()];
    const call = send(number).then(
      () => void this.#sent.push([number, began, Date.now()]),
      (error) => {
        this.#refused++;
        assert.ok(error instanceof LayerError && error.code === "UNAVAILABLE", String(error));
      },
    ).finally(() => {
      this.#slowest = Math.max(this.#slowest, Date.now() - began);
      this.#calls.delete(call);
    });
    this.#calls.add(call);
  }
}

/**
 * Asserts that each message arrived once, or that a gap was reported if it was lost or late.
 *
 * @returns The number of lost messages.
 */
export function assertAllTold(
  { sent }: Pick<TrafficReport, "sent">,
  received: readonly unknown[],
  gaps: readonly LayerGap[],
): number {
  const numbers = received.map(Number);
  const arrived = new Set(numbers);
  assert.equal(numbers.length, arrived.size, "a message arrived twice");
  const late = new Set<number>();
  let last = -1;
  for (const number of numbers) {
    if (number < last) late.add(number);
    last = Math.max(last, number);
  }
  const lost = sent.filter(([number]) => !arrived.has(number));
  for (const [number, began, ended] of sent) {
    if (arrived.has(number) && !late.has(number)) continue;
    const isTold = gaps.some(({ since, until }) => since <= ended && began <= until);
    const story = JSON.stringify({ number, began, ended, gaps });
    assert.ok(isTold, `A message was lost or late outside of every gap: ${story}`);
  }
  return lost.length;
}
