import { Buffer } from "node:buffer";
import type { KeyValue, KvEntry, KvKey } from "../../kv/mod.ts";
import { restoreMessage } from "../stored_message.ts";
import { newEpoch, type StreamSettings } from "../stream_options.ts";
import type { Appended, StreamMessage } from "../stream_store.ts";

/** The stored extent of a stream. */
export interface KvHead {
  readonly epoch: string;
  /** The offset of the oldest stored message; `offset + 1` if there is none. */
  readonly first: number;
  /**
   * The largest `first` that a read may have shown: it never goes back, whatever the limits of the store
   * that opens the stream next. Absent in heads that older versions stored.
   */
  readonly shown?: number;
  readonly offset: number;
  /** Bytes of all messages up to `offset`, and of all before `first`. Their difference is the size. */
  readonly total: number;
  readonly base: number;
  /** When the oldest stored message was appended, in milliseconds since the epoch. */
  readonly firstAt: number;
}

/** A stored message. */
export interface KvStored {
  /** UTF-8 of the JSON. */
  readonly text: Uint8Array;
  readonly at: number;
  /** Bytes of all messages up to this one. */
  readonly total: number;
}

/** A stored key of an append. */
export interface KvKept extends Omit<Appended, "isRepeated"> {
  /** In milliseconds since the epoch: databases remove expired entries late. */
  readonly expiresAt: number;
}

/** A stored head, or a new one that is not stored yet. */
export interface KvVersionedHead {
  readonly head: KvHead;
  readonly version: string | null;
}

/** How much longer an idle stream's head is kept than its messages, in milliseconds. */
const HEAD_GRACE_MS = 86_400_000;

/** How much longer messages are stored than they are shown, in milliseconds. */
const MESSAGE_GRACE_MS = 3_600_000;

/** The entries of one stream in a {@linkcode KeyValue} database. */
export class KvStream {
  readonly #kv: KeyValue;
  readonly #prefix: string;
  readonly #name: string;
  readonly #settings: StreamSettings;

  constructor(kv: KeyValue, prefix: string, name: string, settings: StreamSettings) {
    this.#kv = kv;
    this.#prefix = prefix;
    this.#name = name;
    this.#settings = settings;
  }

  get kv(): KeyValue {
    return this.#kv;
  }

  get settings(): StreamSettings {
    return this.#settings;
  }

  get headKey(): KvKey {
    return [this.#prefix, "head", this.#name];
  }

  keyOf(key: string): KvKey {
    return [this.#prefix, "key", this.#name, key];
  }

  messageKey(epoch: string, offset: number): KvKey {
    return [...this.#messagesKey(epoch), offset];
  }

  get headExpiry(): { expireInMs: number } {
    return { expireInMs: this.#settings.maxAgeMs + HEAD_GRACE_MS };
  }

  get messageExpiry(): { expireInMs: number } {
    return { expireInMs: this.#settings.maxAgeMs + MESSAGE_GRACE_MS };
  }

  /** Returns the head; a new one if the stream does not exist. */
  async head(): Promise<KvVersionedHead> {
    const { value, version } = await this.#kv.get<KvHead>(this.headKey);
    return value === undefined ? { head: newHead(), version: null } : { head: value, version };
  }

  /** Returns the head, and stores a new one if the stream does not exist. */
  async open(): Promise<KvVersionedHead> {
    while (true) {
      const found = await this.head();
      if (found.version !== null) return found;
      const { headKey: key, headExpiry } = this;
      const operation = this.#kv.atomic().check({ key, version: null });
      const commit = await operation.set(key, found.head, headExpiry).commit();
      if (commit.ok) return { head: found.head, version: commit.version };
    }
  }

  /** Returns the outcome of the append with a key. */
  async find(key: string): Promise<Appended | undefined> {
    const { value } = await this.#kv.get<KvKept>(this.keyOf(key));
    return this.toAppended(value);
  }

  /** Returns the outcome of a stored key, unless it has expired. */
  toAppended(kept: KvKept | undefined): Appended | undefined {
    if (kept === undefined || kept.expiresAt <= this.#settings.clock.now()) return undefined;
    const { epoch, offset, reply } = kept;
    return { epoch, offset, reply, isRepeated: true };
  }

  /** Lists stored messages from one offset to another, both included, oldest or newest first. */
  async list(
    epoch: string,
    { from, to }: { readonly from: number; readonly to: number },
    options: { readonly limit: number; readonly reverse?: boolean },
  ): Promise<readonly KvListed[]> {
    const prefix = this.#messagesKey(epoch);
    const range = { prefix, start: [...prefix, from], end: [...prefix, to + 1] };
    const { entries } = await this.#kv.list<KvStored>(range, options);
    return entries.map(toListed);
  }

  /** Deletes all messages of an epoch, in several operations. */
  async deleteAll(epoch: string): Promise<void> {
    const prefix = this.#messagesKey(epoch);
    while (true) {
      const { entries } = await this.#kv.list({ prefix }, { limit: DELETED_AT_ONCE });
      if (entries.length === 0) return;
      const operation = this.#kv.atomic();
      for (const { key } of entries) operation.delete(key);
      await operation.commit();
    }
  }

  #messagesKey(epoch: string): KvKey {
    return [this.#prefix, "message", this.#name, epoch];
  }
}

/** How many messages one operation deletes. */
const DELETED_AT_ONCE = 200;

/** A listed message. */
export interface KvListed {
  readonly offset: number;
  readonly at: number;
  readonly bytes: number;
  readonly total: number;
  /** Returns the message. */
  readonly message: () => StreamMessage;
}

function toListed({ key, value }: KvEntry<KvStored>): KvListed {
  const offset = key.at(-1) as number;
  const { at, total, text } = value;
  const message = () => restoreMessage(Buffer.from(text).toString("utf8"), offset, at);
  return { offset, at, total, bytes: text.length, message };
}

/** Returns the offset of the oldest message that a stream shows. */
export function firstShown(
  { first, shown = first, offset }: KvHead,
  { maxMessages }: StreamSettings,
): number {
  return Math.max(first, shown, offset - maxMessages + 1);
}

/** Returns the head of a new epoch. */
export function newHead(): KvHead {
  return { epoch: newEpoch(), first: 1, shown: 1, offset: 0, total: 0, base: 0, firstAt: 0 };
}
