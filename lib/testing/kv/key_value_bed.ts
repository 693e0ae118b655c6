import type { KeyValue } from "../../kv/mod.ts";
import type { Bed, SuiteOptions } from "../bed.ts";

/**
 * Options of `testKeyValue()`.
 *
 * @internal
 */
export interface KeyValueSuiteOptions extends SuiteOptions {
  /** Whether databases with the same `system` share their data. @default {false} */
  readonly processes?: boolean;
  /** Whether `onChange` hears commits of other processes. @default {false} */
  readonly hears?: boolean;
  /** Whether expired entries stay visible until the database has removed them. @default {false} */
  readonly expiresLate?: boolean;
}

/** Defines one test of the suite. */
export type DefineKeyValueTest = (
  name: string,
  body: (kv: KeyValue, bed: Bed<KeyValue, object>) => Promise<void>,
) => void;
