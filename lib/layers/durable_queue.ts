import type { Clock, LayerMessage } from "../scope.ts";

/** Takes a message. */
export type TakeMessage = (message: LayerMessage) => void;

/** What was fetched from a durable channel: as it is kept, and as it was sent. */
export interface QueueItem {
  readonly kept: unknown;
  readonly frame: string;
}

/** Where the messages of one durable channel are. */
export interface QueueSource {
  /** Takes up to `count` of them out. */
  fetch(count: number): Promise<readonly QueueItem[]>;
  /** Puts back, to the front, what was fetched and nobody wanted. */
  putBack(items: readonly QueueItem[]): Promise<void>;
}

/** What a {@linkcode DurableQueue} works with. */
export interface DurableQueueContext {
  readonly clock: Clock;
  /** How long a reader trusts that it will be told, in milliseconds. */
  readonly lookMs: number;
  readonly source: QueueSource;
  /** Reads a frame, or counts it as malformed. */
  decode(frame: string): LayerMessage | undefined;
}

/** Most items that are taken at once. */
const MAX_ITEMS = 16;

/**
 * The readers of one durable channel in this process. They wait in line, and what comes is fetched
 * for as many as there are: other processes fetch too.
 */
export class DurableQueue {
  readonly #context: DurableQueueContext;
  #takers: TakeMessage[] = [];
  #mailbox: TakeMessage | undefined;
  #isFetching = false;
  #hasRung = false;
  #cancelLook: (() => void) | undefined;

  constructor(context: DurableQueueContext) {
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
      // Where nothing can be fetched, the next look comes.
    } finally {
      this.#isFetching = false;
      if (this.hasReader) this.#lookLater();
    }
  }

  /** Returns whether there may be more. */
  async #fetchSome(): Promise<boolean> {
    const count = this.hasMailbox ? MAX_ITEMS : Math.min(MAX_ITEMS, this.#takers.length);
    const items = await this.#context.source.fetch(count);
    const left = items.filter((item) => !this.#hand(item));
    if (left.length > 0) await this.#context.source.putBack(left);
    return items.length === count;
  }

  /** Returns false where nobody waits any more. */
  #hand({ frame }: QueueItem): boolean {
    if (!this.hasReader) return false;
    const message = this.#context.decode(frame);
    if (message === undefined) return true;
    const taker = this.#takers.shift() ?? this.#mailbox;
    taker!(message);
    return true;
  }

  #lookLater(): void {
    this.#cancelLook ??= this.#context.clock.after(this.#context.lookMs, () => {
      this.#cancelLook = undefined;
      this.ring();
    });
  }

  #stopLooking(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }
}
