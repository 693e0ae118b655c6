import type { KeyValue } from "../../kv/mod.ts";

/**
 * Creates a database for one test. The suite closes it. Databases with the same `system` share their
 * data, as several processes would; others do not.
 */
export type CreateTestKeyValue = (
  options: { readonly system: string },
) => KeyValue | Promise<KeyValue>;

/**
 * Options of `testKeyValue()`.
 *
 * @internal
 */
export interface TestKeyValueOptions {
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
}

/** The databases of one test. */
export class KeyValueBed {
  readonly #system = crypto.randomUUID();
  readonly #create: CreateTestKeyValue;
  readonly #opened: KeyValue[] = [];

  /** @param create Creates a database. */
  constructor(create: CreateTestKeyValue) {
    this.#create = create;
  }

  /** Opens the test's database, as another process would. */
  async open(): Promise<KeyValue> {
    const kv = await this.#create({ system: this.#system });
    this.#opened.push(kv);
    return kv;
  }

  /** Closes all databases. */
  async close(): Promise<void> {
    for (const kv of this.#opened) await kv.close();
  }
}

/** Defines one test of the suite. */
export type DefineKeyValueTest = (
  name: string,
  body: (kv: KeyValue, bed: KeyValueBed) => Promise<void>,
) => void;
