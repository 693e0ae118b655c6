import { type Clock, type LayerMessage, systemClock } from "../scope.ts";
import { capacityOf, type CapacityRule } from "./capacity.ts";
import type { ChannelLayer, GroupSendOptions, GroupSendResult, Mailbox } from "./channel_layer.ts";
import { isolate } from "./isolate.ts";
import { LayerError } from "./layer_error.ts";
import { MemoryChannel } from "./memory_channel.ts";
import { assertChannelName, assertGroupName } from "./names.ts";

/** Options of {@linkcode MemoryChannelLayer}. */
export interface MemoryChannelLayerOptions {
  /** Messages that a channel holds. @default {100} */
  readonly capacity?: number;
  /** Further capacities, by name of the channel. The first that fits decides. */
  readonly channelCapacity?: readonly CapacityRule[];
  /** How long a message waits to be read, in milliseconds. @default {60_000} */
  readonly expiryMs?: number;
  /** How long a channel without mailbox stays in a group, in milliseconds. @default {86_400_000} */
  readonly groupExpiryMs?: number;
  readonly clock?: Clock;
}

/**
 * The channel layer of one process: nothing leaves it, and nothing outlives it.
 *
 * The cost of a message to a group grows with that group's members, and with nothing else.
 *
 * @example
 * ```ts
 * import { MemoryChannelLayer } from "@sluice/sluice/layers";
 * import assert from "node:assert/strict";
 *
 * const layer = new MemoryChannelLayer();
 * await layer.groupAdd("news", "reader");
 * assert.deepEqual(await layer.groupSend("news", { type: "hello" }), { delivered: 1, dropped: 0 });
 * assert.deepEqual(await layer.receive("reader"), { type: "hello" });
 * ```
 */
export class MemoryChannelLayer implements ChannelLayer {
  readonly extensions: readonly string[] = ["groups", "flush"];
  readonly #channels = new Map<string, MemoryChannel>();
  readonly #groups = new Map<string, Map<MemoryChannel, number>>();
  readonly #capacityOf: (channel: string) => number;
  readonly #expiryMs: number;
  readonly #groupExpiryMs: number;
  readonly #clock: Clock;
  readonly #prefix = randomName();
  #serial = 0;
  #closed = false;

  constructor(options: MemoryChannelLayerOptions = {}) {
    this.#capacityOf = capacityOf(options.channelCapacity ?? [], options.capacity ?? 100);
    this.#expiryMs = options.expiryMs ?? 60_000;
    this.#groupExpiryMs = options.groupExpiryMs ?? 86_400_000;
    this.#clock = options.clock ?? systemClock;
  }

  newChannel(prefix = "specific"): string {
    const channel = `${prefix}.${this.#prefix}!${(++this.#serial).toString(36)}`;
    assertChannelName(channel);
    return channel;
  }

  attach(channel: string, mailbox: Mailbox): () => void {
    const entry = this.#channel(channel);
    entry.attach(mailbox, this.#clock.now());
    return () => {
      if (entry.detach(mailbox)) this.#forget(entry);
    };
  }

  send(channel: string, message: LayerMessage): Promise<void> {
    return attempt(() => {
      const taken = this.#channel(channel).deliver(isolate(message), this.#clock.now());
      if (taken) return;
      throw new LayerError(
        "CHANNEL_FULL",
        `Cannot send to "${channel}": it holds ${this.#capacityOf(channel)} messages already`,
      );
    });
  }

  receive(channel: string, options: { signal?: AbortSignal } = {}): Promise<LayerMessage> {
    return attempt(() => this.#channel(channel).receive(this.#clock.now(), options.signal));
  }

  groupAdd(group: string, channel: string): Promise<void> {
    return attempt(() => {
      assertGroupName(group);
      const entry = this.#channel(channel);
      let members = this.#groups.get(group);
      if (members === undefined) this.#groups.set(group, members = new Map());
      members.set(entry, this.#clock.now());
      entry.groups.add(group);
    });
  }

  groupDiscard(group: string, channel: string): Promise<void> {
    return attempt(() => {
      assertGroupName(group);
      assertChannelName(channel);
      const entry = this.#channels.get(channel);
      if (entry === undefined) return;
      this.#leave(group, entry);
      if (entry.isIdle) this.#channels.delete(channel);
    });
  }

  groupSend(
    group: string,
    message: LayerMessage,
    options: GroupSendOptions = {},
  ): Promise<GroupSendResult> {
    return attempt(() => {
      assertGroupName(group);
      if (this.#closed) throw closed();
      const copy = isolate(message);
      const now = this.#clock.now();
      let delivered = 0;
      let dropped = 0;
      for (const [entry, addedAt] of this.#groups.get(group) ?? []) {
        if (entry.name === options.except) continue;
        if (!entry.isAttached && now - addedAt >= this.#groupExpiryMs) this.#leave(group, entry);
        else if (entry.deliver(copy, now)) delivered++;
        else dropped++;
      }
      return { delivered, dropped };
    });
  }

  flush(): Promise<void> {
    for (const entry of this.#channels.values()) entry.flush();
    this.#groups.clear();
    for (const [name, entry] of this.#channels) {
      if (entry.isIdle) this.#channels.delete(name);
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#channels.values()) entry.close(closed());
    this.#channels.clear();
    this.#groups.clear();
    return Promise.resolve();
  }

  #channel(name: string): MemoryChannel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    assertChannelName(name);
    if (this.#closed) throw closed();
    const entry = new MemoryChannel(name, this.#capacityOf(name), this.#expiryMs);
    this.#channels.set(name, entry);
    return entry;
  }

  #leave(group: string, entry: MemoryChannel): void {
    entry.groups.delete(group);
    const members = this.#groups.get(group);
    members?.delete(entry);
    if (members?.size === 0) this.#groups.delete(group);
  }

  #forget(entry: MemoryChannel): void {
    for (const group of entry.groups) this.#leave(group, entry);
    this.#channels.delete(entry.name);
  }
}

function closed(): LayerError {
  return new LayerError("CLOSED", "The channel layer is closed");
}

function attempt<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
