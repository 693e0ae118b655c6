import { FakeClock as KitClock } from "../../lib/testing/fake_clock.ts";

/** The test kit's clock, which also lets pending promises settle before it moves. */
export class FakeClock extends KitClock {
  constructor(now = 1_700_000_000_000) {
    super(now);
  }

  /** The number of pending timers. */
  get timers(): number {
    return this.pending;
  }

  override async advance(ms: number): Promise<void> {
    await settled();
    await super.advance(ms);
  }
}

/** Lets the reactions of settled promises run, including chains of them. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
