import type { Clock, LayerMessage } from "../scope.ts";
import type { RedisConnection } from "./redis_connection.ts";

/** Takes a message. */
export type TakeMessage = (message: LayerMessage) => void;

/** What a {@linkcode RedisQueue} works with. */
export interface RedisQueueContext {
  readonly clock: Clock;
  /** The names of the list and of its bell. */
  readonly queue: string;
  readonly bell: string;
  connection(): RedisConnection | undefined;
  /** Reads an item, or counts it as malformed. */
  decode(frame: string): LayerMessage | undefined;
  expired(count: number): void;
}

/** How long a reader trusts the bell, in milliseconds. */
const LOOK_MS = 1_000;

/** Most items that are taken at once. */
const MAX_ITEMS = 16;

/**
 * The readers of one durable channel in this process. They wait in line, and what comes is fetched
 * for as many as there are: other processes fetch too.
 */
export class RedisQueue {
  readonly #context: RedisQueueContext;
  #takers: TakeMessage[] = [];
  #mailbox: TakeMessage | undefined;
  #isFetching = false;
  #hasRung = false;
  #cancelLook: (() => void) | undefined;

  constructor(context: RedisQueueContext) {
    this.#context = context;
  }

  get hasReader(): boolean {
    return this.#mailbox !== undefined || this.#takers.length > 0;
  }

  get hasMailbox(): boolean {
    return this.#mailbox !== undefined;
  }

  /** Sets the one who takes everything, or nobody. */
  set mailbox(mailbox: TakeMessage | undefined) {
    this.#mailbox = mailbox;
    if (mailbox !== undefined) this.ring();
    else if (!this.hasReader) this.#stopLooking();
  }

  /** Adds a reader of one message. */
  add(taker: TakeMessage): void {
    this.#takers.push(taker);
    this.ring();
  }

  remove(taker: TakeMessage): void {
    this.#takers = this.#takers.filter((other) => other !== taker);
    if (!this.hasReader) this.#stopLooking();
  }

  /** Looks whether something is there. */
  ring(): void {
    this.#hasRung = true;
    if (!this.#isFetching && this.hasReader) void this.#fetch();
  }

  close(): void {
    this.#takers = [];
    this.#mailbox = undefined;
    this.#stopLooking();
  }

  async #fetch(): Promise<void> {
    this.#isFetching = true;
    try {
      while (this.hasReader && this.#hasRung) {
        this.#hasRung = false;
        if (await this.#fetchSome()) this.#hasRung = true;
      }
    } catch {
      // Without Redis there is nothing to fetch; the next look comes.
    } finally {
      this.#isFetching = false;
      if (this.hasReader) this.#lookLater();
    }
  }

  /** Returns whether there may be more. */
  async #fetchSome(): Promise<boolean> {
    const connection = this.#context.connection();
    if (connection === undefined) return false;
    const count = this.hasMailbox ? MAX_ITEMS : Math.min(MAX_ITEMS, this.#takers.length);
    const reply = await connection.script("pop", [this.#context.queue], `${count}`);
    const [expired, ...items] = reply as [number, ...string[]];
    this.#context.expired(Number(expired));
    const left = items.filter((item) => !this.#hand(item));
    if (left.length > 0) await this.#putBack(connection, left);
    return items.length === count;
  }

  /** Returns false where nobody waits any more. */
  #hand(item: string): boolean {
    if (!this.hasReader) return false;
    const message = this.#context.decode(item.slice(item.indexOf(":") + 1));
    if (message === undefined) return true;
    const taker = this.#takers.shift() ?? this.#mailbox;
    taker!(message);
    return true;
  }

  async #putBack(connection: RedisConnection, items: string[]): Promise<void> {
    const { queue, bell } = this.#context;
    await connection.script("putBack", [queue, bell], ...items);
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#context.clock.after(LOOK_MS, () => {
      this.#cancelLook = undefined;
      this.ring();
    });
  }

  #stopLooking(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }
}
