import type { KeyValue } from "../../kv/mod.ts";

/**
 * Creates a database for one test. The suite closes it. Databases with the same `system` share their
 * data, as several processes would; others do not.
 */
export type CreateTestKeyValue = (
  options: { readonly system: string },
) => KeyValue | Promise<KeyValue>;

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
