import { test } from "node:test";
import type { KeyValue } from "../../kv/mod.ts";
import { type DefineKeyValueTest, KeyValueBed } from "./key_value_bed.ts";
import { atomicTests } from "./kv_atomic_tests.ts";
import { concurrencyTests } from "./kv_concurrency_tests.ts";
import { keyTests } from "./kv_key_tests.ts";
import { listTests } from "./kv_list_tests.ts";
import { processTests } from "./kv_process_tests.ts";
import { valueTests } from "./kv_value_tests.ts";

/** Options of {@linkcode testKeyValue}. */
export type TestKeyValueOptions = NonNullable<Parameters<typeof testKeyValue>[2]>;

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
  options: {
    /** Whether databases with the same `system` share their data. @default {false} */
    readonly processes?: boolean;
    /** Whether `onChange` hears commits of other processes. @default {false} */
    readonly hears?: boolean;
    /** Whether expired entries stay visible until the database has removed them. @default {false} */
    readonly expiresLate?: boolean;
    /** Why the suite must be skipped, such as a missing server. */
    readonly skip?: string | undefined;
    /** Time limit of a test, in milliseconds. @default {20_000} */
    readonly timeoutMs?: number;
  } = {},
): void {
  const { skip = false, timeoutMs: timeout = 20_000 } = options;
  const define: DefineKeyValueTest = (sentence, body) => {
    test(`${name} ${sentence}`, { skip, timeout }, async () => {
      const bed = new KeyValueBed(create);
      try {
        await body(await bed.open(), bed);
      } finally {
        await bed.close();
      }
    });
  };
  keyTests(define);
  valueTests(define);
  listTests(define);
  atomicTests(define, options);
  concurrencyTests(define);
  if (options.processes) processTests(define, options);
}
