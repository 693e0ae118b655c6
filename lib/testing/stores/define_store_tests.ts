import { test } from "node:test";
import { FakeClock } from "../fake_clock.ts";
import type { SuiteOptions } from "../bed.ts";

/** Creates an empty store for one test. It uses the clock for its own times. */
export type CreateTestStore<S> = (clock: FakeClock) => S | Promise<S>;

/** Defines one test of a suite. */
export type DefineStoreTest<S> = (
  sentence: string,
  body: (store: S, clock: FakeClock) => Promise<void>,
) => void;

/** Returns a function that defines tests, each with its own store. */
export function defineStoreTests<S>(
  name: string,
  create: CreateTestStore<S>,
  { skip, timeoutMs: timeout = 20_000 }: SuiteOptions,
): DefineStoreTest<S> {
  return (sentence, body) => {
    test(`${name}.${sentence}`, { skip: skip ?? false, timeout }, async () => {
      const clock = new FakeClock();
      await body(await create(clock), clock);
    });
  };
}
