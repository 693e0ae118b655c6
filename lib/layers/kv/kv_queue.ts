import type { Clock } from "../../core/clock.ts";
import type { LeaseRequest, QueueItem, QueueSource } from "../durable/durable_lease.ts";
import {
  isExpired,
  isLeased,
  type KeptEntry,
  type KeptMessage,
  type KvLease,
} from "./kept_message.ts";
import type { KvAccess } from "./kv_access.ts";
import { type AtomicOperation, type KeyValue, type KvKey, listAll } from "../../kv/mod.ts";
import { deleteFrame, findFrame, type StoredFrame, storeFrame } from "./kv_frames.ts";
import type { LayerCounters } from "../layer_stats.ts";

/** What a {@linkcode KvQueue} is given. */
export interface KvQueueContext {
  readonly access: KvAccess;
  readonly prefix: string;
  readonly clock: Clock;
  readonly expiryMs: number;
  readonly leaseMs: number;
  readonly counters: LayerCounters;
}

/** How many messages one read returns, and how many one write can lease, with a check each. */
const BATCH_SIZE = 16;
const MAX_CHECKS = 10;

/** How much longer the database keeps a message, so that a late reader counts expired ones. */
const KEEP_MS = 60_000;

/** How long the parts of a large message are kept: a job that runs longer cannot be redelivered. */
const KEEP_PARTS_MS = 86_400_000;

/**
 * A durable channel in a database: numbered messages, plus the number of the next message and of the
 * first one that was never leased. A lease is stored in its message.
 *
 * Leases and expiries compare the clocks of hosts, which must agree within a fraction of `leaseMs`. If
 * they differ by more, a message is redelivered too early or too late. No message is lost, because a
 * token and not a clock decides which reader may acknowledge it.
 */
export class KvQueue implements QueueSource {
  readonly #context: KvQueueContext;
  readonly #channel: string;

  constructor(context: KvQueueContext, channel: string) {
    this.#context = context;
    this.#channel = channel;
  }

  /** Adds a frame. Returns false if the channel is full. @throws {LayerError} `UNAVAILABLE`. */
  async push(frame: string, capacity: number): Promise<boolean> {
    const { access, prefix, expiryMs, clock, counters } = this.#context;
    const nextKey = [prefix, "next", this.#channel];
    let stored: StoredFrame | undefined;
    const isTaken = await access.run(async (kv, late) => {
      const [next, front] = await kv.getMany<number>([nextKey, this.#frontKey]);
      const number = next!.value ?? 0;
      const atMost = number - (front!.value ?? 0);
      if (atMost >= capacity && await this.#count(kv) >= capacity) {
        if (stored !== undefined) await deleteFrame(kv, prefix, stored);
        return false;
      }
      stored ??= await storeFrame(kv, prefix, frame, KEEP_PARTS_MS + expiryMs);
      if (late.aborted) return undefined;
      const message: KeptMessage = { stored, expiresAt: clock.now() + expiryMs };
      const { ok } = await kv.atomic().check(next!).set(nextKey, number + 1)
        .set(this.#key(number), message, { expireInMs: this.#keepMs }).commit({ signal: late });
      return ok || undefined;
    });
    if (isTaken) counters.queued++;
    else counters.dropped.full++;
    return isTaken;
  }

  /** A repeated request finds the messages already leased under its token. */
  async lease({ token, count }: LeaseRequest): Promise<QueueItem[]> {
    const leased = await this.#context.access.run(async (kv, late) => {
      const front = (await kv.get<number>(this.#frontKey)).value ?? 0;
      const { found, free } = await this.#find(kv, token, count);
      for (let from = 0; from < free.length && !late.aborted; from += MAX_CHECKS) {
        const entries = free.slice(from, from + MAX_CHECKS);
        found.push(...await this.#takeAll(kv, entries, { token, front }));
      }
      return found;
    });
    return await Promise.all(leased.map(async ({ key, value }) => ({
      number: Number(key[3]),
      attempt: value.lease?.attempts ?? 1,
      frame: await this.#load(value),
    })));
  }

  async ack(token: string, number: number): Promise<boolean> {
    let stored: StoredFrame | undefined;
    const isDone = await this.#change(token, number, (operation, { key, value }) => {
      stored = value.stored;
      return operation.delete(key);
    });
    if (isDone && stored !== undefined) this.#forget(stored);
    return isDone;
  }

  renew(token: string, number: number, attempts: number): Promise<boolean> {
    const { clock, leaseMs } = this.#context;
    return this.#note(token, number, { token, until: clock.now() + leaseMs, attempts });
  }

  release(token: string, number: number, attempts: number): Promise<boolean> {
    return this.#note(token, number, { token: "", until: this.#context.clock.now(), attempts });
  }

  /** Counts the messages that are not leased, and deletes expired ones. */
  async #count(kv: KeyValue): Promise<number> {
    let count = 0;
    for await (const entry of this.#list(kv)) {
      if (isExpired(entry.value, this.#context)) await this.#expire(kv, entry);
      else if (!isLeased(entry.value, this.#context.clock.now())) count++;
    }
    return count;
  }

  /** Finds the messages held by the token, and free ones up to `count` in total. */
  async #find(
    kv: KeyValue,
    token: string,
    count: number,
  ): Promise<{ readonly found: KeptEntry[]; readonly free: readonly KeptEntry[] }> {
    const found: KeptEntry[] = [];
    const free: KeptEntry[] = [];
    for await (const entry of this.#list(kv)) {
      if (entry.value.lease?.token === token) found.push(entry);
      else if (isLeased(entry.value, this.#context.clock.now())) continue;
      else if (found.length + free.length >= count) break;
      else if (isExpired(entry.value, this.#context)) await this.#expire(kv, entry);
      else free.push(entry);
    }
    return { found, free };
  }

  /** Leases messages in one operation, or one by one if another reader has taken one of them. */
  async #takeAll(
    kv: KeyValue,
    entries: readonly KeptEntry[],
    { token, front }: { readonly token: string; readonly front: number },
  ): Promise<readonly KeptEntry[]> {
    const { clock, leaseMs } = this.#context;
    const until = clock.now() + leaseMs;
    const taken = entries.map((entry) => {
      const attempts = (entry.value.lease?.attempts ?? 0) + 1;
      return { ...entry, value: { ...entry.value, lease: { token, until, attempts } } };
    });
    const last = Math.max(...entries.map(({ key }) => Number(key[3])));
    const operation = kv.atomic().check(...entries);
    // If another reader has moved it further, it falls back: a push then counts the messages.
    if (last >= front) operation.set(this.#frontKey, last + 1);
    for (const { key, value } of taken) operation.set(key, value, { expireInMs: this.#keepMs });
    if ((await operation.commit()).ok) return taken;
    if (entries.length === 1) return [];
    const alone: KeptEntry[] = [];
    for (const entry of entries) alone.push(...await this.#takeAll(kv, [entry], { token, front }));
    return alone;
  }

  #note(token: string, number: number, lease: KvLease): Promise<boolean> {
    return this.#change(token, number, (operation, { key, value }) => {
      return operation.set(key, { ...value, lease }, { expireInMs: this.#keepMs });
    });
  }

  /** Changes a message that the token holds. Returns false if it does not hold it. */
  #change(
    token: string,
    number: number,
    change: (operation: AtomicOperation, entry: KeptEntry) => AtomicOperation,
  ): Promise<boolean> {
    return this.#context.access.run(async (kv) => {
      const entry = await kv.get<KeptMessage>(this.#key(number));
      if (entry.value?.lease?.token !== token) return false;
      const { ok } = await change(kv.atomic().check(entry), entry as KeptEntry).commit();
      return ok || undefined;
    });
  }

  /** Returns an empty string, which counts as malformed, if parts are missing. */
  #load({ stored }: KeptMessage): Promise<string> {
    const { access, prefix } = this.#context;
    if ("frame" in stored) return Promise.resolve(stored.frame);
    return access.run(async (kv) => await findFrame(kv, prefix, stored) ?? "");
  }

  /** Deletes the parts of a removed message. If that fails, the database expires them later. */
  #forget(stored: StoredFrame): void {
    if ("frame" in stored) return;
    const { access, prefix } = this.#context;
    access.run(async (kv) => {
      await deleteFrame(kv, prefix, stored);
      return true;
    }).catch(() => {});
  }

  async #expire(kv: KeyValue, entry: KeptEntry): Promise<void> {
    const { prefix, counters } = this.#context;
    const { ok } = await kv.atomic().check(entry).delete(entry.key).commit();
    if (!ok) return;
    counters.dropped.expired++;
    await deleteFrame(kv, prefix, entry.value.stored);
  }

  get #keepMs(): number {
    return 2 * this.#context.expiryMs + 2 * this.#context.leaseMs + KEEP_MS;
  }

  #list(kv: KeyValue): AsyncIterable<KeptEntry> {
    const range = { prefix: [this.#context.prefix, "queue", this.#channel] };
    return listAll<KeptMessage>(kv, range, { pageSize: BATCH_SIZE });
  }

  #key(number: number): KvKey {
    return [this.#context.prefix, "queue", this.#channel, number];
  }

  /** The key of a number at or before the first message that was never leased. */
  get #frontKey(): KvKey {
    return [this.#context.prefix, "front", this.#channel];
  }
}
