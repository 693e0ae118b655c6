import type { Clock } from "../scope.ts";
import type { QueueItem, QueueSource } from "./durable_queue.ts";
import type { KvAccess } from "./kv_access.ts";
import { loadFrame, type StoredFrame, storeFrame } from "./kv_frames.ts";
import type { LayerCounters } from "./layer_stats.ts";

/** What {@linkcode KvDurable} works with. */
export interface KvDurableContext {
  readonly access: KvAccess;
  readonly prefix: string;
  readonly clock: Clock;
  readonly expiryMs: number;
  readonly counters: LayerCounters;
}

interface KeptMessage {
  readonly stored: StoredFrame;
  /** The database deletes late: this is what counts. */
  readonly expiresAt: number;
}

type KeptEntry = Deno.KvEntry<KeptMessage>;

/** The durable channels in Deno KV: numbered messages, and the numbers of the next and first one. */
export class KvDurable {
  readonly #context: KvDurableContext;
  /** The last of those that are being added to a channel, which come one after the other. */
  readonly #adding = new Map<string, Promise<unknown>>();

  constructor(context: KvDurableContext) {
    this.#context = context;
  }

  /** Adds a frame to a channel. Returns false: it is full. @throws {LayerError} `UNAVAILABLE`. */
  push(channel: string, frame: string, capacity: number): Promise<boolean> {
    const before = this.#adding.get(channel) ?? Promise.resolve();
    const pushed = before.then(() => this.#push(channel, frame, capacity));
    const settled = pushed.catch(() => {}).then(() => {
      if (this.#adding.get(channel) === settled) this.#adding.delete(channel);
    });
    this.#adding.set(channel, settled);
    return pushed;
  }

  /** Returns where the messages of a channel are. */
  sourceOf(channel: string): QueueSource {
    const { access } = this.#context;
    return {
      fetch: (count) => this.#fetch(channel, count),
      putBack: async (items) => {
        await access.run(async (kv) => {
          for (const { kept } of items) {
            const { key, value } = kept as KeptEntry;
            await kv.set(key, value, { expireIn: this.#left(value) });
          }
          return true;
        });
      },
    };
  }

  async #push(channel: string, frame: string, capacity: number): Promise<boolean> {
    const { access, prefix, expiryMs, clock, counters } = this.#context;
    const nextKey = [prefix, "next", channel];
    let stored: StoredFrame | undefined;
    const isTaken = await access.run(async (kv, isLate) => {
      stored ??= await storeFrame(kv, prefix, frame, expiryMs);
      const [next, first] = await kv.getMany<[number, Deno.KvU64]>([
        nextKey,
        [prefix, "first", channel],
      ]);
      const number = next.value ?? 0;
      const atMost = number - Number(first.value?.value ?? 0n);
      if (atMost >= capacity && await this.#count(kv, channel, capacity) >= capacity) return false;
      if (isLate()) return undefined;
      const message: KeptMessage = { stored, expiresAt: clock.now() + expiryMs };
      const { ok } = await kv.atomic().check(next).set(nextKey, number + 1)
        .set([prefix, "queue", channel, number], message, { expireIn: expiryMs }).commit();
      return ok || undefined;
    });
    if (isTaken) counters.queued++;
    else counters.dropped.full++;
    return isTaken;
  }

  /** Counts the messages of a channel, and deletes those that have expired. */
  async #count(kv: Deno.Kv, channel: string, capacity: number): Promise<number> {
    const { prefix } = this.#context;
    let count = 0;
    const list = kv.list<KeptMessage>({ prefix: [prefix, "queue", channel] }, { limit: capacity });
    for await (const entry of list) {
      if (this.#left(entry.value) > 0) count++;
      else await this.#remove(kv, channel, entry);
    }
    return count;
  }

  /** Each message by itself: what was taken out is handed on, whatever becomes of the next one. */
  async #fetch(channel: string, count: number): Promise<QueueItem[]> {
    const { access, prefix } = this.#context;
    const list = { prefix: [prefix, "queue", channel] };
    const items: QueueItem[] = [];
    let limit = count;
    while (items.length < count) {
      const entries = await access.run((kv) =>
        Array.fromAsync(kv.list<KeptMessage>(list, { limit }))
      );
      for (const entry of entries) {
        try {
          const isMine = await access.run((kv) => this.#remove(kv, channel, entry));
          if (!isMine || this.#left(entry.value) <= 0) continue;
        } catch (error) {
          if (items.length > 0) return items;
          throw error;
        }
        items.push({ kept: entry, frame: await this.#load(entry.value) });
      }
      if (entries.length < limit) return items;
      limit = count - items.length;
    }
    return items;
  }

  /** What cannot be read is no message: that is counted where it is decoded. */
  async #load({ stored }: KeptMessage): Promise<string> {
    const { access, prefix } = this.#context;
    try {
      return await access.run((kv) => loadFrame(kv, prefix, stored));
    } catch {
      return "";
    }
  }

  /** Takes a message out, for one reader of all. Returns false: somebody else has it. */
  async #remove(kv: Deno.Kv, channel: string, entry: KeptEntry): Promise<boolean> {
    const { prefix, counters } = this.#context;
    const number = Number(entry.key[3]);
    const { ok } = await kv.atomic().check(entry).delete(entry.key)
      .max([prefix, "first", channel], BigInt(number + 1)).commit();
    if (ok && this.#left(entry.value) <= 0) counters.dropped.expired++;
    return ok;
  }

  #left(message: KeptMessage): number {
    return message.expiresAt - this.#context.clock.now();
  }
}
