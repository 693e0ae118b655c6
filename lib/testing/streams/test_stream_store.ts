import type { StreamStore } from "../../streams/mod.ts";
import type { StreamStoreOptions } from "../../streams/stream_options.ts";
import { Bed, defineOn, type SystemSuiteOptions } from "../bed.ts";
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
  options: SystemSuiteOptions = {},
): void {
  const define = defineOn(name, () => new Bed(create, options.time), options);
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
