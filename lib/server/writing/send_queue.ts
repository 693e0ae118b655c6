import { setImmediate } from "node:timers";
import { CloseCode } from "../../protocol/mod.ts";
import { isSendableCloseCode } from "../../protocol/close_codes.ts";
import { MAX_CLOSE_REASON_BYTES } from "../../protocol/limits.ts";
import type { SlowReaderPolicy } from "../../core/consumer.ts";
import type { Log } from "../../core/log.ts";
import type { Socket } from "../../core/transport.ts";
import { DropQueue } from "./drop_queue.ts";
import { MAX_BYTES_PER_UNIT } from "../connection/inbox.ts";
import type { StalledReaders } from "./stalled_readers.ts";

/** What all send queues of a server share. */
export interface SendQueueContext {
  readonly log: Log;
  readonly limits: {
    /** Maximum number of bytes queued for the peer. */
    readonly sendBufferBytes: number;
  };
  readonly stalled: StalledReaders;
  readonly batcher: WriteBatcher;
}

/** The connection that owns a send queue. */
export interface SendQueueOwner {
  /** Called when the queue would exceed its limit and the policy is `close`. */
  end(code: number, reason: string): void;
}

/** A batch of this many characters is written at once, because the reader limits the message size. */
const MAX_BATCH_LENGTH = 65_536;

/**
 * The send queue of one peer: bounded and ordered. It never throws.
 *
 * The runtime's buffer takes up to half of the budget. Policies that drop messages keep the rest in a
 * {@linkcode DropQueue}, from which they can still be dropped.
 */
export class SendQueue {
  policy: SlowReaderPolicy = "close";
  /** Whether the peer accepts several frames in one message. */
  isBatched = false;
  readonly #context: SendQueueContext;
  readonly #owner: SendQueueOwner;
  #socket: Socket | undefined;
  #isOpen = false;
  #isHeld = false;
  #dropQueue: DropQueue | undefined;
  /** Batched frames of this turn. */
  #batched: Batch | undefined;
  /**
   * Upper bound of the bytes buffered in the runtime: the last measured value plus all data sent
   * since.
   */
  #atMost = 0;

  constructor(context: SendQueueContext, owner: SendQueueOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Bytes queued for the peer. */
  get bufferedAmount(): number {
    const unsent = (this.#dropQueue?.bytes ?? 0) + (this.#batched?.text.length ?? 0);
    return unsent + (this.#socket?.bufferedAmount ?? 0);
  }

  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Writes what was queued before the socket opened. */
  open(): void {
    this.#isOpen = true;
    this.resume();
  }

  /** Sends a frame, batched with the others of this turn if the peer accepts that. */
  sendFrame(frame: string, key?: string): boolean {
    const canWait = this.isBatched && this.#isOpen && this.#dropQueue === undefined;
    if (!canWait || this.policy !== "close") return this.send(frame, key);
    const { batcher } = this.#context;
    const before = this.#batched;
    const batched = this.#batched = batcher.join(before, frame);
    if (batched.text.length > MAX_BATCH_LENGTH) this.flush();
    else if (before === undefined) batcher.add(this);
    return true;
  }

  /** Writes the frames of this turn. */
  flush(): void {
    const batched = this.#batched;
    if (batched === undefined) return;
    this.#batched = undefined;
    this.send(batched.text);
  }

  /** Pauses writing until {@linkcode release}. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Writes what was queued during the pause. */
  release(): void {
    this.#isHeld = false;
    if (!this.resume()) this.#context.stalled.add(this);
  }

  /** Sends a message. Returns false if it was dropped. */
  send(data: string | Uint8Array, key?: string): boolean {
    if (this.#batched !== undefined) this.flush();
    const mustWait = !this.#isOpen || this.#isHeld || this.#dropQueue !== undefined;
    if (!mustWait && this.#hasRoomFor(data)) return this.#write(data);
    if (this.policy === "close" && this.bufferedAmount + data.length > this.#budget) {
      this.#owner.end(CloseCode.tooSlow, "read too slowly");
      return false;
    }
    return this.#keep(data, key);
  }

  /** Writes queued messages while the peer has room. Returns whether the queue is empty. */
  resume(): boolean {
    const backlog = this.#dropQueue;
    if (!this.#isOpen || this.#isHeld || backlog === undefined) return true;
    while (backlog.count > 0 && this.#socket!.bufferedAmount < this.#writable) {
      this.#write(backlog.shift()!);
    }
    this.#atMost = Infinity;
    if (backlog.count > 0) return false;
    this.#dropQueue = undefined;
    return true;
  }

  /** Drops queued messages. Frames of this turn are dropped too if `unsent`, otherwise written. */
  drop({ unsent }: { unsent: boolean }): void {
    if (unsent) this.#batched = undefined;
    else this.flush();
    this.#dropQueue = undefined;
    this.#context.stalled.delete(this);
  }

  /** Starts the closing handshake. */
  close(code: number, reason: string): void {
    const sendable = isSendableCloseCode(code) ? code : CloseCode.internalError;
    try {
      this.#socket?.close(sendable, truncateReason(reason));
    } catch (error) {
      this.#context.log.debug("A socket refused to close", { error });
    }
  }

  /** Bytes that the runtime may buffer; buffered messages can no longer be dropped. */
  get #writable(): number {
    return this.policy === "close" ? this.#budget : this.#budget / 2;
  }

  get #budget(): number {
    return this.#context.limits.sendBufferBytes;
  }

  /**
   * Returns whether the runtime may take a message. It reads the buffered amount only when data sent
   * since the last check might still be there.
   */
  #hasRoomFor(data: string | Uint8Array): boolean {
    const bytes = typeof data === "string" ? data.length * MAX_BYTES_PER_UNIT : data.length;
    const writable = this.#writable;
    if (this.#atMost + bytes > writable) {
      const waiting = this.#socket!.bufferedAmount;
      if (waiting > 0 && waiting + data.length > writable) return false;
      this.#atMost = waiting;
    }
    this.#atMost += bytes;
    return true;
  }

  #keep(data: string | Uint8Array, key: string | undefined): boolean {
    const { stalled } = this.#context;
    const backlog = this.#dropQueue ??= new DropQueue();
    stalled.dropped += backlog.push(data, this.policy === "latest" ? key : undefined);
    while (backlog.count > 1 && this.bufferedAmount > this.#budget) {
      backlog.shift();
      stalled.dropped++;
    }
    if (this.#isOpen && !this.#isHeld) stalled.add(this);
    return true;
  }

  #write(data: string | Uint8Array): boolean {
    try {
      this.#socket!.send(data);
      return true;
    } catch (error) {
      this.#context.log.debug("A socket refused a message", { error });
      return false;
    }
  }
}

/** Returns `reason`, cut between characters to the size of a close frame (RFC 6455 §5.5). */
function truncateReason(reason: string): string {
  const bytes = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_CLOSE_REASON_BYTES));
  return reason.slice(0, bytes.read);
}

/** The frames of a turn, one per line. Peers with the same frames share it, and so its text. */
interface Batch {
  readonly text: string;
}

/**
 * Write batching: lets each send queue write once per turn of the event loop.
 *
 * The frames of a turn are written when the messages that arrived with it have been handled. While the
 * runtime writes to many peers, messages arrive and are handled in one turn: the busier a server is,
 * the larger its batches. No frame waits for the network or a timer.
 */
export class WriteBatcher {
  #waiting: SendQueue[] = [];
  /** The arguments and the result of the last {@linkcode join}. */
  #before: Batch | undefined;
  #frame: string | undefined;
  #joined: Batch | undefined;

  /** Adds a send queue that has frames to write. */
  add(queue: SendQueue): void {
    if (this.#waiting.push(queue) === 1) setImmediate(this.#flush);
  }

  /** Returns a batch with one more frame: the last one, for the next member of the same group. */
  join(before: Batch | undefined, frame: string): Batch {
    const known = this.#joined;
    if (known !== undefined && before === this.#before && frame === this.#frame) return known;
    this.#before = before;
    this.#frame = frame;
    return this.#joined = { text: before === undefined ? frame : `${before.text}\n${frame}` };
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#before = this.#frame = this.#joined = undefined;
    for (const queue of waiting) queue.flush();
  };
}
