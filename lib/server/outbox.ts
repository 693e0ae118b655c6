import { CloseCode, isSendableCloseCode } from "../protocol/mod.ts";
import type { Log, SlowReaderPolicy, Socket } from "../scope.ts";
import { Backlog } from "./backlog.ts";
import type { Batch } from "./batch.ts";
import { truncateReason } from "./close_reason.ts";
import type { Gatherer } from "./gatherer.ts";
import { MAX_BYTES_PER_UNIT } from "./inbox.ts";
import type { StalledReaders } from "./stalled_readers.ts";

/** What outboxes need from outside; the same for all of a server. */
export interface OutboxContext {
  readonly log: Log;
  readonly limits: {
    /** Bytes that may wait for the peer. */
    readonly sendBufferBytes: number;
  };
  readonly stalled: StalledReaders;
  readonly gatherer: Gatherer;
}

/** Whose peer it is. */
export interface OutboxOwner {
  /** Called where the policy is `close` and more would wait than may. */
  overflowed(): void;
}

/** A batch of this many characters is written at once: how large a message may be is up to its reader. */
const MAX_BATCH_LENGTH = 65_536;

/**
 * The way to one peer: bounded, in order, and never throws.
 *
 * The runtime's own buffer takes up to half of the budget; for the policies that drop, what comes
 * after that waits in a {@linkcode Backlog}, where it can still be dropped.
 */
export class Outbox {
  policy: SlowReaderPolicy = "close";
  /** Whether the peer takes several frames in one message. */
  gathers = false;
  readonly #context: OutboxContext;
  readonly #owner: OutboxOwner;
  #socket: Socket | undefined;
  #isOpen = false;
  #isHeld = false;
  #backlog: Backlog | undefined;
  /** Frames of this turn. */
  #gathered: Batch | undefined;
  /** What waits in the runtime at most, in bytes: as it was looked at last, and all that was sent since. */
  #atMost = 0;

  constructor(context: OutboxContext, owner: OutboxOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Bytes that wait for the peer. */
  get bufferedAmount(): number {
    const unsent = (this.#backlog?.bytes ?? 0) + (this.#gathered?.length ?? 0);
    return unsent + (this.#socket?.bufferedAmount ?? 0);
  }

  /** Whether the runtime has not yet written all that it was given. */
  get isWriting(): boolean {
    return this.#socket !== undefined && this.#socket.bufferedAmount > 0;
  }

  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Writes what waited for the socket to open. */
  open(): void {
    this.#isOpen = true;
    this.resume();
  }

  /** Sends a frame, with the others of this turn where the peer takes that. */
  sendFrame(frame: string, key?: string): boolean {
    const canWait = this.gathers && this.#isOpen && this.#backlog === undefined;
    if (!canWait || this.policy !== "close") return this.send(frame, key);
    const { gatherer } = this.#context;
    const before = this.#gathered;
    const gathered = this.#gathered = gatherer.join(before, frame);
    if (gathered.length > MAX_BATCH_LENGTH) this.flush();
    else if (before === undefined) gatherer.add(this);
    return true;
  }

  /** Writes the frames of this turn. */
  flush(): void {
    const gathered = this.#gathered;
    if (gathered === undefined) return;
    this.#gathered = undefined;
    this.send(gathered.text);
  }

  /** Writes nothing until {@linkcode release}. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Writes what waited meanwhile. */
  release(): void {
    this.#isHeld = false;
    if (!this.resume()) this.#context.stalled.add(this);
  }

  /** Sends a message, or returns false: it was dropped. */
  send(data: string | Uint8Array, key?: string): boolean {
    if (this.#gathered !== undefined) this.flush();
    const mustWait = !this.#isOpen || this.#isHeld || this.#backlog !== undefined;
    if (!mustWait && this.#hasRoomFor(data)) return this.#write(data);
    if (this.policy === "close" && this.bufferedAmount + data.length > this.#budget) {
      this.#owner.overflowed();
      return false;
    }
    return this.#keep(data, key);
  }

  /** Writes what waits, as far as the peer has made room. Returns whether nothing waits any more. */
  resume(): boolean {
    const backlog = this.#backlog;
    if (!this.#isOpen || this.#isHeld || backlog === undefined) return true;
    while (backlog.count > 0 && this.#socket!.bufferedAmount < this.#writable) {
      this.#write(backlog.shift()!);
    }
    this.#atMost = Infinity;
    if (backlog.count > 0) return false;
    this.#backlog = undefined;
    return true;
  }

  /** Forgets what waits; with `unsent` the frames of this turn too, else it writes them. */
  drop({ unsent }: { unsent: boolean }): void {
    if (unsent) this.#gathered = undefined;
    else this.flush();
    this.#backlog = undefined;
    this.#context.stalled.delete(this);
  }

  /** Begins the closing handshake. */
  close(code: number, reason: string): void {
    const sendable = isSendableCloseCode(code) ? code : CloseCode.internalError;
    try {
      this.#socket?.close(sendable, truncateReason(reason));
    } catch (error) {
      this.#context.log.debug("A socket refused to close", { error });
    }
  }

  /** Bytes that the runtime may hold: nothing of it can be dropped any more. */
  get #writable(): number {
    return this.policy === "close" ? this.#budget : this.#budget / 2;
  }

  get #budget(): number {
    return this.#context.limits.sendBufferBytes;
  }

  /**
   * Whether the runtime may take a message: what waits there is looked at only when all that was sent
   * since the last look might not have left yet.
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
    const backlog = this.#backlog ??= new Backlog();
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
