import type { KeyValue } from "../../kv/mod.ts";
import { Bed, defineOn } from "../bed.ts";
import type { DefineKeyValueTest, KeyValueSuiteOptions } from "./key_value_bed.ts";
import { atomicTests } from "./kv_atomic_tests.ts";
import { concurrencyTests } from "./kv_concurrency_tests.ts";
import { keyTests } from "./kv_key_tests.ts";
import { listTests } from "./kv_list_tests.ts";
import { processTests } from "./kv_process_tests.ts";
import { valueTests } from "./kv_value_tests.ts";

/**
 * Defines the tests of `docs/kv_spec.md` for one driver with `node:test`: a test for each guarantee,
 * with the number from the specification.
 *
 * @example
 * ```ts ignore
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import { testKeyValue } from "@sluice/sluice/testing";
 *
 * testKeyValue("MemoryKeyValue", () => new MemoryKeyValue());
 * ```
 */
export function testKeyValue(
  name: string,
  create: (options: { readonly system: string }) => KeyValue | Promise<KeyValue>,
  options: KeyValueSuiteOptions = {},
): void {
  const onBed = defineOn(name, () => new Bed(create, "real"), options);
  const define: DefineKeyValueTest = (sentence, body) =>
    onBed(sentence, async (bed) => body(await bed.open(), bed));
  keyTests(define);
  valueTests(define);
  listTests(define);
  atomicTests(define, options);
  concurrencyTests(define);
  if (options.processes) processTests(define, options);
}
