import { AtomicOperation, checkTopic, type KvWrite } from "./atomic_operation.ts";
import type {
  KeyValue,
  KvCommit,
  KvKey,
  KvListOptions,
  KvPage,
  KvRange,
  KvResult,
  KvSetOptions,
} from "./key_value.ts";
import { closedError, KeyValueError } from "./key_value_error.ts";
import { encodeKey } from "./format/key_codec.ts";
import { isEmpty, type ListRequest, listRequest } from "./list_request.ts";

/**
 * The base class of drivers. It checks arguments and closing, so that a driver implements three
 * operations: `readMany`, `readPage` and `write`.
 *
 * @internal
 */
export abstract class BaseKeyValue implements KeyValue {
  /**
   * The listeners of this process.
   *
   * @internal
   */
  protected readonly listeners: ChangeListeners = new ChangeListeners();
  #closing: Promise<void> | undefined;

  /** Reads keys in order. Up to ten are read at one moment. */
  protected abstract readMany(
    keys: readonly KvKey[],
    bytes: readonly Uint8Array[],
  ): Promise<KvResult[]>;

  /**
   * Reads one page at one moment.
   *
   * @internal
   */
  protected abstract readPage(request: ListRequest): Promise<KvPage>;

  /** Commits a write, and calls the listeners of its topics, here and if possible elsewhere. */
  protected abstract write(write: KvWrite): Promise<KvCommit>;

  /** Releases what the driver holds. Called once. */
  protected abstract end(): Promise<void>;

  async get<T = unknown>(key: KvKey): Promise<KvResult<T>> {
    const bytes = encodeKey(key);
    this.assertOpen();
    return await this.readOne(key, bytes) as KvResult<T>;
  }

  async getMany<T = unknown>(keys: readonly KvKey[]): Promise<KvResult<T>[]> {
    const bytes = keys.map(encodeKey);
    this.assertOpen();
    return keys.length === 0 ? [] : await this.readMany(keys, bytes) as KvResult<T>[];
  }

  async list<T = unknown>(range: KvRange, options: KvListOptions = {}): Promise<KvPage<T>> {
    const request = listRequest(range, options);
    this.assertOpen();
    if (isEmpty(request)) return { entries: [], cursor: undefined };
    return await this.readPage(request) as KvPage<T>;
  }

  async set(key: KvKey, value: unknown, options: KvSetOptions = {}): Promise<string> {
    const result = await this.atomic().set(key, value, options).commit();
    if (!result.ok) throw new KeyValueError("UNAVAILABLE", "The database refused a write");
    return result.version;
  }

  async delete(key: KvKey): Promise<void> {
    await this.atomic().delete(key).commit();
  }

  atomic(): AtomicOperation {
    return new AtomicOperation(async (write) => {
      this.assertOpen();
      return await this.write(write);
    });
  }

  onChange(topic: string, listener: () => void): () => void {
    return this.listeners.add(topic, listener);
  }

  close(): Promise<void> {
    return this.#closing ??= this.end();
  }

  /** Closes the database. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Reads one key. A driver may let concurrent reads share a request. */
  protected async readOne(key: KvKey, bytes: Uint8Array): Promise<KvResult> {
    const [result] = await this.readMany([key], [bytes]);
    return result!;
  }

  /**
   * Throws if the database is closed.
   *
   * @throws {KeyValueError} `CLOSED`.
   */
  protected assertOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }
}

/** The listeners of one process, by topic. */
export class ChangeListeners {
  readonly #listeners = new Map<string, Set<() => void>>();
  /** Called when a topic gets its first listener, and when it has lost the last one. */
  onTopic: ((topic: string, isUsed: boolean) => void) | undefined;

  /** The topics that have listeners. */
  get topics(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  /** Adds a listener, and returns a function that removes it. */
  add(topic: string, listener: () => void): () => void {
    const known = this.#listeners.get(checkTopic(topic));
    const listeners = known ?? new Set();
    const entry = () => listener(); // The same function can be added twice.
    listeners.add(entry);
    if (known === undefined) {
      this.#listeners.set(topic, listeners);
      this.onTopic?.(topic, true);
    }
    return () => {
      if (!listeners.delete(entry) || listeners.size > 0) return;
      this.#listeners.delete(topic);
      this.onTopic?.(topic, false);
    };
  }

  /** Calls the listeners of some topics. An error of a listener is its own. */
  call(topics: readonly string[] = this.topics): void {
    for (const topic of topics) {
      for (const listener of [...this.#listeners.get(topic) ?? []]) queueMicrotask(listener);
    }
  }
}
