import type { Clock } from "../../core/clock.ts";
import type { KeyValue, KvEntry, KvKey } from "../../kv/key_value.ts";
import { newEpoch } from "../stream_options.ts";

/** A producer's last accepted write. */
export interface ProducerState {
  readonly epoch: number;
  readonly seq: number;
}

/** The producer and the write of a request. */
export interface ProducerWrite extends ProducerState {
  readonly id: string;
}

/** The stored head of a durable stream. */
export interface DurableHead {
  /** Identifies this life of the stream. */
  readonly id: string;
  readonly contentType: string;
  /** The offset of the end, in bytes. */
  readonly end: number;
  readonly isClosed: boolean;
  /** The write that closed the stream, if a producer did. */
  readonly closedBy?: ProducerWrite | undefined;
  /** The greatest `Stream-Seq`. */
  readonly seq?: string | undefined;
  readonly ttlSeconds?: number | undefined;
  /** As it was given. */
  readonly expiresAt?: string | undefined;
  /** Time of the last read or write, in milliseconds since the epoch. */
  readonly usedAt: number;
}

/** A part of a stream. */
export interface DurablePart {
  /** The offset after it. */
  readonly end: number;
  readonly bytes: Uint8Array;
  /** Whether a message continues in the next part. */
  readonly goesOn: boolean;
}

/** What one request appends. */
export interface DurableWrite {
  /** Whole messages of a JSON stream, or the bytes of another one. */
  readonly messages: readonly Uint8Array[];
  readonly isClosing: boolean;
  readonly seq?: string | undefined;
  readonly producer?: ProducerWrite | undefined;
}

/** Largest part that one entry of a database holds, in bytes. */
const PART_BYTES = 60_000;

/** Producers and parts that one operation deletes. */
const DELETED_AT_ONCE = 200;

/** The entries of one durable stream in a {@linkcode KeyValue} database. */
export class DurableLog {
  readonly #kv: KeyValue;
  readonly #clock: Clock;
  readonly #root: KvKey;

  constructor(kv: KeyValue, clock: Clock, prefix: string, name: string) {
    this.#kv = kv;
    this.#clock = clock;
    this.#root = [prefix, name];
  }

  /** Returns the head and its version; undefined if the stream does not exist or has expired. */
  async head(): Promise<KvEntry<DurableHead> | undefined> {
    const found = await this.#kv.get<DurableHead>(this.#headKey);
    if (found.value === undefined) return undefined;
    const { ttlSeconds = Infinity, expiresAt, usedAt } = found.value;
    const now = this.#clock.now();
    const isOver = now - usedAt >= ttlSeconds * 1_000 ||
      (expiresAt !== undefined && now >= Date.parse(expiresAt));
    if (!isOver) return found;
    await this.delete(found);
    return undefined;
  }

  /** Creates the stream with its first messages. Resolves with false if it exists. */
  async create(
    config: Pick<DurableHead, "contentType" | "ttlSeconds" | "expiresAt">,
    write: DurableWrite,
  ): Promise<boolean> {
    const head = { ...config, id: newEpoch(), end: 0, isClosed: false, usedAt: this.#clock.now() };
    return await this.#commit(head, null, write);
  }

  /** Appends to the stream. Resolves with false if it was changed meanwhile. */
  append(entry: KvEntry<DurableHead>, write: DurableWrite): Promise<boolean> {
    return this.#commit(entry.value, entry.version, write);
  }

  /** Notes a read, which extends the life of a stream with a TTL. */
  async touch(entry: KvEntry<DurableHead>): Promise<void> {
    if (entry.value.ttlSeconds === undefined) return;
    const head = { ...entry.value, usedAt: this.#clock.now() };
    await this.#kv.atomic().check(entry).set(this.#headKey, head).commit(); // A write is a use, too.
  }

  /** Reads parts after an offset, up to about `maxBytes`, and whole messages. */
  async read(head: DurableHead, after: number, maxBytes: number): Promise<DurablePart[]> {
    const parts: DurablePart[] = [];
    const prefix = [...this.#root, "part", head.id];
    let bytes = 0;
    let from = after + 1;
    while (from <= head.end && (bytes < maxBytes || parts.at(-1)?.goesOn)) {
      const range = { prefix, start: [...prefix, from], end: [...prefix, head.end + 1] };
      const { entries } = await this.#kv.list<Omit<DurablePart, "end">>(range, { limit: 100 });
      if (entries.length === 0) break;
      for (const { key, value } of entries) {
        if (bytes >= maxBytes && !parts.at(-1)?.goesOn) return parts;
        const end = key.at(-1) as number;
        parts.push({ end, ...value });
        bytes += value.bytes.length;
        from = end + 1;
      }
    }
    return parts;
  }

  async producer(head: DurableHead, id: string): Promise<ProducerState | undefined> {
    return (await this.#kv.get<ProducerState>(this.#producerKey(head, id))).value;
  }

  /** Deletes the stream. Resolves with false if it was changed meanwhile. */
  async delete(entry: KvEntry<DurableHead>): Promise<boolean> {
    const { ok } = await this.#kv.atomic().check(entry).delete(this.#headKey).commit();
    if (!ok) return false;
    for (const kind of ["part", "producer"]) {
      await this.#deleteAll([...this.#root, kind, entry.value.id]);
    }
    return true;
  }

  async #commit(
    head: DurableHead,
    version: string | null,
    { messages, isClosing, seq, producer }: DurableWrite,
  ): Promise<boolean> {
    const operation = this.#kv.atomic().check({ key: this.#headKey, version });
    let { end } = head;
    for (const message of messages) {
      for (let from = 0; from < message.length; from += PART_BYTES) {
        const bytes = message.slice(from, from + PART_BYTES);
        end += bytes.length;
        const goesOn = from + PART_BYTES < message.length;
        operation.set([...this.#root, "part", head.id, end], { bytes, goesOn });
      }
    }
    if (producer !== undefined) {
      const { id, epoch, seq } = producer;
      operation.set(this.#producerKey(head, id), { epoch, seq });
    }
    const next: DurableHead = {
      ...head,
      end,
      seq: seq ?? head.seq,
      isClosed: head.isClosed || isClosing,
      closedBy: isClosing ? producer : head.closedBy,
      usedAt: this.#clock.now(),
    };
    return (await operation.set(this.#headKey, next).commit()).ok;
  }

  async #deleteAll(prefix: KvKey): Promise<void> {
    while (true) {
      const { entries } = await this.#kv.list({ prefix }, { limit: DELETED_AT_ONCE });
      if (entries.length === 0) return;
      const operation = this.#kv.atomic();
      for (const { key } of entries) operation.delete(key);
      await operation.commit();
    }
  }

  get #headKey(): KvKey {
    return [...this.#root, "head"];
  }

  #producerKey({ id }: DurableHead, producer: string): KvKey {
    return [...this.#root, "producer", id, producer];
  }
}
