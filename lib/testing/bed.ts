import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { FakeClock } from "./fake_clock.ts";

/**
 * Options of all suites.
 *
 * @internal
 */
export interface SuiteOptions {
  /** Why the suite must be skipped, such as a missing server. */
  readonly skip?: string | undefined;
  /** Time limit of a test, in milliseconds. @default {20_000} */
  readonly timeoutMs?: number;
}

/**
 * Options of the suites for what several processes may share.
 *
 * @internal
 */
export interface SystemSuiteOptions extends SuiteOptions {
  /**
   * Whether the implementation uses only the clock that it is given. Otherwise its tests wait in real
   * time, for 50 to 500 ms, and those that would wait for seconds are skipped. @default {"fake"}
   */
  readonly time?: "fake" | "real";
  /** Whether instances with the same `system` reach each other. @default {false} */
  readonly processes?: boolean;
}

/** The instances of one test, which act as processes of one system, and their clock. */
export class Bed<T extends { close(): void | Promise<void> }, O extends object> {
  /** Instances of other tests have another one. Usable as a key prefix. */
  readonly system: string = `test-${crypto.randomUUID()}`;
  readonly #create: (options: O & { readonly system: string }) => T | Promise<T>;
  readonly #clock: FakeClock | undefined;
  readonly #opened: T[] = [];

  constructor(
    create: (options: O & { readonly system: string }) => T | Promise<T>,
    time: "fake" | "real" = "fake",
  ) {
    this.#create = create;
    this.#clock = time === "fake" ? new FakeClock() : undefined;
  }

  /** Creates an instance, which acts as another process of the system. */
  async open(options?: O): Promise<T> {
    const clock = this.#clock === undefined ? {} : { clock: this.#clock };
    const { system } = this;
    const opened = await this.#create({ ...clock, ...options!, system });
    this.#opened.push(opened);
    return opened;
  }

  /** Lets `ms` milliseconds pass, on the fake clock or in real time. */
  async pass(ms: number): Promise<void> {
    if (this.#clock !== undefined) await this.#clock.advance(ms);
    else await setTimeout(ms + 2); // A timer may fire a millisecond early.
  }

  /** Closes all instances. */
  async close(): Promise<void> {
    for (const each of this.#opened) await each.close();
  }
}

/** Defines one test of a suite. */
export type DefineTest<B> = (
  sentence: string,
  body: (bed: B) => Promise<void>,
  /** Skips the test if the suite runs in real time. */
  options?: { readonly needsFakeTime?: boolean },
) => void;

/** Returns a function that defines the tests of a suite, each with its own bed. */
export function defineOn<B extends { close(): Promise<void> }>(
  name: string,
  createBed: () => B,
  { time, skip, timeoutMs: timeout = 20_000 }: SystemSuiteOptions,
): DefineTest<B> {
  return (sentence, body, { needsFakeTime = false } = {}) => {
    const isTooSlow = needsFakeTime && time === "real";
    const reason = skip ?? (isTooSlow ? "waits for seconds in real time" : false);
    test(`${name} ${sentence}`, { skip: reason, timeout }, async () => {
      const bed = createBed();
      try {
        await body(bed);
      } finally {
        await bed.close();
      }
    });
  };
}
