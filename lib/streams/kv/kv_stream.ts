import { Buffer } from "node:buffer";
import type { KeyValue, KvEntry, KvKey } from "../../kv/mod.ts";
import { restoreMessage } from "../stored_message.ts";
import { newEpoch, type StreamSettings } from "../stream_options.ts";
import type { Appended, StreamMessage, StreamPosition } from "../stream_store.ts";

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
  /** The server that wrote last, see `KeyValue.home()`. */
  readonly home?: string;
  /** Epochs before a loss, each with the offset up to which its messages are still those of the stream. */
  readonly earlier?: readonly StreamPosition[];
  /** The epoch under which messages are stored, if that is an earlier one. */
  readonly log?: string;
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
  /** Whether the stored head belongs to a server that may have lost commits, and this one replaces it. */
  readonly isForked?: boolean;
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

  messageKey(head: KvHead, offset: number): KvKey {
    return [...this.#messagesKey(head), offset];
  }

  get headExpiry(): { expireInMs: number } {
    return { expireInMs: this.#settings.maxAgeMs + HEAD_GRACE_MS };
  }

  get messageExpiry(): { expireInMs: number } {
    return { expireInMs: this.#settings.maxAgeMs + MESSAGE_GRACE_MS };
  }

  /** Returns the head; a new one if the stream does not exist, or if messages of it may be lost. */
  async head(): Promise<KvVersionedHead> {
    const home = await this.#kv.home?.(); // Before the head: a commit checks that it is the same.
    const { value, version } = await this.#kv.get<KvHead>(this.headKey);
    if (value === undefined) return { head: withHome(newHead(), home), version: null };
    const isForked = value.home !== undefined && value.home !== home;
    return { head: withHome(isForked ? forkHead(value) : value, home), version, isForked };
  }

  /** Returns the head, and stores a new one if the stream does not exist. */
  async open(): Promise<KvVersionedHead> {
    while (true) {
      const found = await this.head();
      const { head, version, isForked } = found;
      if (version !== null && !isForked) return found;
      const { headKey: key, headExpiry } = this;
      const operation = this.#kv.atomic().check({ key, version }).set(key, head, headExpiry);
      const commit = await operation.commit({ home: head.home });
      if (commit.ok) return { head, version: commit.version };
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
    head: KvHead,
    { from, to }: { readonly from: number; readonly to: number },
    options: { readonly limit: number; readonly reverse?: boolean },
  ): Promise<readonly KvListed[]> {
    const prefix = this.#messagesKey(head);
    const range = { prefix, start: [...prefix, from], end: [...prefix, to + 1] };
    const { entries } = await this.#kv.list<KvStored>(range, options);
    return entries.map(toListed);
  }

  /** Deletes all messages, in several operations. */
  async deleteAll(head: KvHead): Promise<void> {
    const prefix = this.#messagesKey(head);
    while (true) {
      const { entries } = await this.#kv.list({ prefix }, { limit: DELETED_AT_ONCE });
      if (entries.length === 0) return;
      const operation = this.#kv.atomic();
      for (const { key } of entries) operation.delete(key);
      await operation.commit();
    }
  }

  #messagesKey({ epoch, log = epoch }: KvHead): KvKey {
    return [this.#prefix, "message", this.#name, log];
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

/** Most earlier epochs that a head remembers. */
const MAX_EARLIER = 16;

/** Returns the head of a new epoch with the messages that are left. */
function forkHead(head: KvHead): KvHead {
  const { epoch, offset, earlier = [], log = epoch } = head;
  const known = [{ epoch, offset }, ...earlier].slice(0, MAX_EARLIER);
  const shared = known.map((each) => ({
    epoch: each.epoch,
    offset: Math.min(each.offset, offset),
  }));
  return { ...head, epoch: newEpoch(), earlier: shared, log };
}

function withHome(head: KvHead, home: string | undefined): KvHead {
  return home === undefined || home === head.home ? head : { ...head, home };
}

/** Returns the head of a new epoch. */
export function newHead(): KvHead {
  return { epoch: newEpoch(), first: 1, shown: 1, offset: 0, total: 0, base: 0, firstAt: 0 };
}
