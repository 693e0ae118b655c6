import type { Clock } from "../scope.ts";
import type { LeaseRequest, QueueItem, QueueSource } from "./durable_lease.ts";
import type { KvAccess } from "./kv_access.ts";
import { deleteFrame, findFrame, type StoredFrame, storeFrame } from "./kv_frames.ts";
import type { LayerCounters } from "./layer_stats.ts";

/** What a {@linkcode KvQueue} works with. */
export interface KvQueueContext {
  readonly access: KvAccess;
  readonly prefix: string;
  readonly clock: Clock;
  readonly expiryMs: number;
  readonly leaseMs: number;
  readonly counters: LayerCounters;
}

interface KvLease {
  /** The request that leased the message; empty if it was given back. */
  readonly token: string;
  /** Until when the message is reserved, by the clock of the host that leased it. */
  readonly until: number;
  readonly attempts: number;
}

interface KeptMessage {
  readonly stored: StoredFrame;
  /** When it expires if no reader leases it: the database deletes later. */
  readonly expiresAt: number;
  readonly lease?: KvLease;
}

type KeptEntry = Deno.KvEntry<KeptMessage>;

/** How many messages are read at once, and how many can be leased in one step: KV takes ten checks. */
const BATCH_SIZE = 16;
const MAX_CHECKS = 10;

/** How much longer the database keeps a message, so that a late reader counts what has expired. */
const KEEP_MS = 60_000;

/** How long the parts of a large message are kept: a job that runs for longer cannot be repeated. */
const KEEP_PARTS_MS = 86_400_000;

/**
 * A durable channel in Deno KV: numbered messages, and the numbers of the next one and the first one
 * that was never leased. A lease is part of its message.
 *
 * Leases and expiries compare the clocks of hosts, which must agree within a fraction of `leaseMs`. If
 * they differ by more, a message is redelivered too early or too late; none is lost, as a token and not
 * a clock decides who may acknowledge.
 */
export class KvQueue implements QueueSource {
  readonly #context: KvQueueContext;
  readonly #channel: string;

  constructor(context: KvQueueContext, channel: string) {
    this.#context = context;
    this.#channel = channel;
  }

  /** Adds a frame. Returns false: the channel is full. @throws {LayerError} `UNAVAILABLE`. */
  async push(frame: string, capacity: number): Promise<boolean> {
    const { access, prefix, expiryMs, clock, counters } = this.#context;
    const nextKey = [prefix, "next", this.#channel];
    let stored: StoredFrame | undefined;
    const isTaken = await access.run(async (kv, isLate) => {
      const [next, first] = await kv.getMany<[number, Deno.KvU64]>([nextKey, this.#firstKey]);
      const number = next.value ?? 0;
      const atMost = number - Number(first.value?.value ?? 0n);
      if (atMost >= capacity && await this.#count(kv) >= capacity) {
        if (stored !== undefined) await deleteFrame(kv, prefix, stored);
        return false;
      }
      stored ??= await storeFrame(kv, prefix, frame, KEEP_PARTS_MS + expiryMs);
      if (isLate()) return undefined;
      const message: KeptMessage = { stored, expiresAt: clock.now() + expiryMs };
      const { ok } = await kv.atomic().check(next).set(nextKey, number + 1)
        .set(this.#key(number), message, { expireIn: this.#keepMs }).commit();
      return ok || undefined;
    });
    if (isTaken) counters.queued++;
    else counters.dropped.full++;
    return isTaken;
  }

  /** Messages that were leased under the token before are found again. */
  async lease({ token, count }: LeaseRequest): Promise<QueueItem[]> {
    const leased = await this.#context.access.run(async (kv, isLate) => {
      const { found, free } = await this.#find(kv, token, count);
      for (let from = 0; from < free.length && !isLate(); from += MAX_CHECKS) {
        found.push(...await this.#takeAll(kv, free.slice(from, from + MAX_CHECKS), token));
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

  /** Counts the messages that no reader has, and deletes those that have expired. */
  async #count(kv: Deno.Kv): Promise<number> {
    let count = 0;
    for await (const entry of this.#list(kv)) {
      if (this.#isExpired(entry.value)) await this.#expire(kv, entry);
      else if (!this.#isLeased(entry.value)) count++;
    }
    return count;
  }

  /** Finds the messages that have the token, and up to `count` with them that can be leased. */
  async #find(
    kv: Deno.Kv,
    token: string,
    count: number,
  ): Promise<{ readonly found: KeptEntry[]; readonly free: readonly KeptEntry[] }> {
    const found: KeptEntry[] = [];
    const free: KeptEntry[] = [];
    for await (const entry of this.#list(kv)) {
      if (entry.value.lease?.token === token) found.push(entry);
      else if (this.#isLeased(entry.value)) continue;
      else if (found.length + free.length >= count) break;
      else if (this.#isExpired(entry.value)) await this.#expire(kv, entry);
      else free.push(entry);
    }
    return { found, free };
  }

  /** Leases messages in one step, or one by one if another reader has got one of them. */
  async #takeAll(
    kv: Deno.Kv,
    entries: readonly KeptEntry[],
    token: string,
  ): Promise<readonly KeptEntry[]> {
    const { clock, leaseMs } = this.#context;
    const until = clock.now() + leaseMs;
    const taken = entries.map((entry) => {
      const attempts = (entry.value.lease?.attempts ?? 0) + 1;
      return { ...entry, value: { ...entry.value, lease: { token, until, attempts } } };
    });
    const last = Math.max(...entries.map(({ key }) => Number(key[3])));
    const operation = kv.atomic().check(...entries).max(this.#firstKey, BigInt(last + 1));
    for (const { key, value } of taken) operation.set(key, value, { expireIn: this.#keepMs });
    if ((await operation.commit()).ok) return taken;
    if (entries.length === 1) return [];
    const alone: KeptEntry[] = [];
    for (const entry of entries) alone.push(...await this.#takeAll(kv, [entry], token));
    return alone;
  }

  #note(token: string, number: number, lease: KvLease): Promise<boolean> {
    return this.#change(token, number, (operation, { key, value }) => {
      return operation.set(key, { ...value, lease }, { expireIn: this.#keepMs });
    });
  }

  /** Changes a message that has the token. Returns false if it has not. */
  #change(
    token: string,
    number: number,
    change: (operation: Deno.AtomicOperation, entry: KeptEntry) => Deno.AtomicOperation,
  ): Promise<boolean> {
    return this.#context.access.run(async (kv) => {
      const entry = await kv.get<KeptMessage>(this.#key(number));
      if (entry.value?.lease?.token !== token) return false;
      const { ok } = await change(kv.atomic().check(entry), entry as KeptEntry).commit();
      return ok || undefined;
    });
  }

  /** Returns an empty text, which counts as malformed, if parts are missing. */
  #load({ stored }: KeptMessage): Promise<string> {
    const { access, prefix } = this.#context;
    if ("frame" in stored) return Promise.resolve(stored.frame);
    return access.run(async (kv) => await findFrame(kv, prefix, stored) ?? "");
  }

  /** Deletes the parts of a message that is gone. If that fails, the database does it later. */
  #forget(stored: StoredFrame): void {
    if ("frame" in stored) return;
    const { access, prefix } = this.#context;
    access.run(async (kv) => {
      await deleteFrame(kv, prefix, stored);
      return true;
    }).catch(() => {});
  }

  async #expire(kv: Deno.Kv, entry: KeptEntry): Promise<void> {
    const { prefix, counters } = this.#context;
    const { ok } = await kv.atomic().check(entry).delete(entry.key).commit();
    if (!ok) return;
    counters.dropped.expired++;
    await deleteFrame(kv, prefix, entry.value.stored);
  }

  #isLeased({ lease }: KeptMessage): boolean {
    return lease !== undefined && lease.until > this.#context.clock.now();
  }

  /** A message that came back from a lease waits from then on. */
  #isExpired({ lease, expiresAt }: KeptMessage): boolean {
    const { expiryMs, clock } = this.#context;
    return (lease === undefined ? expiresAt : lease.until + expiryMs) <= clock.now();
  }

  get #keepMs(): number {
    return 2 * this.#context.expiryMs + 2 * this.#context.leaseMs + KEEP_MS;
  }

  #list(kv: Deno.Kv): Deno.KvListIterator<KeptMessage> {
    const selector = { prefix: [this.#context.prefix, "queue", this.#channel] };
    return kv.list<KeptMessage>(selector, { batchSize: BATCH_SIZE });
  }

  #key(number: number): Deno.KvKey {
    return [this.#context.prefix, "queue", this.#channel, number];
  }

  get #firstKey(): Deno.KvKey {
    return [this.#context.prefix, "first", this.#channel];
  }
}
