import { test } from "node:test";
import type { StreamStore } from "../../streams/mod.ts";
import type { StreamStoreOptions } from "../../streams/stream_options.ts";
import { type DefineStreamTest, StreamBed } from "./stream_bed.ts";
import { appendTests, processAppendTests } from "./stream_append_tests.ts";
import { claimTests, processClaimTests } from "./stream_claim_tests.ts";
import { keyTests, processKeyTests } from "./stream_key_tests.ts";
import { limitTests, processLimitTests } from "./stream_limit_tests.ts";
import { readTests } from "./stream_read_tests.ts";

/**
 * Defines the tests of `docs/stream_spec.md` for one store with `node:test`: a test for each guarantee,
 * with its number in the specification.
 *
 * @param create Creates a store. Stores with the same `system` act as processes of one system.
 *
 * @example
 * ```ts ignore
 * import { MemoryStreamStore } from "@sluice/sluice/streams";
 * import { testStreamStore } from "@sluice/sluice/testing";
 *
 * testStreamStore("MemoryStreamStore", (options) => new MemoryStreamStore(options));
 * ```
 */
export function testStreamStore(
  name: string,
  create: (
    options: StreamStoreOptions & { readonly system: string },
  ) => StreamStore | Promise<StreamStore>,
  options: {
    /**
     * Whether the store uses only the clock that it is given. Otherwise, the tests wait in real time, and
     * those that would wait for seconds are skipped.
     * @default {"fake"}
     */
    readonly time?: "fake" | "real";
    /** Whether stores with the same `system` share their streams. @default {false} */
    readonly processes?: boolean;
    /** Why the suite must be skipped, such as a missing server. */
    readonly skip?: string | undefined;
    /** Time limit of a test, in milliseconds. @default {10_000} */
    readonly timeoutMs?: number;
  } = {},
): void {
  const { time = "fake", timeoutMs: timeout = 10_000 } = options;
  const define: DefineStreamTest = (sentence, body, { needsFakeTime = false } = {}) => {
    const isTooSlow = needsFakeTime && time === "real";
    const skip = options.skip ?? (isTooSlow ? "waits for seconds in real time" : false);
    test(`${name} ${sentence}`, { skip, timeout }, async () => {
      const bed = new StreamBed(create, time);
      try {
        await body(bed);
      } finally {
        await bed.close();
      }
    });
  };
  appendTests(define);
  readTests(define);
  limitTests(define);
  keyTests(define);
  claimTests(define);
  if (!options.processes) return;
  processAppendTests(define);
  processLimitTests(define);
  processKeyTests(define);
  processClaimTests(define);
}
