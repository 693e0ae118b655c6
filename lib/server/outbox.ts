import { CloseCode, isSendableCloseCode } from "../protocol/mod.ts";
import type { Log, SlowReaderPolicy, Socket } from "../scope.ts";
import { Backlog } from "./backlog.ts";
import { truncateReason } from "./close_reason.ts";
import type { Gatherer } from "./gatherer.ts";
import type { StalledReaders } from "./stalled_readers.ts";

/** What an outbox needs from outside. */
export interface OutboxContext {
  readonly log: Log;
  /** Bytes that may wait for the peer. */
  readonly budget: number;
  readonly stalled: StalledReaders;
  readonly gatherer: Gatherer;
  /** Called where the policy is `close` and more than `budget` would wait. */
  readonly onOverflow: () => void;
}

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
  #socket: Socket | undefined;
  #isOpen = false;
  #isHeld = false;
  #backlog: Backlog | undefined;
  /** Frames of this turn, joined. */
  #gathered: string | undefined;

  constructor(context: OutboxContext) {
    this.#context = context;
  }

  /** Bytes that wait for the peer. */
  get bufferedAmount(): number {
    const unsent = (this.#backlog?.bytes ?? 0) + (this.#gathered?.length ?? 0);
    return unsent + (this.#socket?.bufferedAmount ?? 0);
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
    const canWait = this.gathers && this.#isOpen && (this.#backlog?.bytes ?? 0) === 0;
    if (!canWait || this.policy !== "close") return this.send(frame, key);
    if (this.#gathered === undefined) {
      this.#gathered = frame;
      this.#context.gatherer.add(this);
    } else {
      this.#gathered += `\n${frame}`;
    }
    return true;
  }

  /** Writes the frames of this turn. */
  flush(): void {
    const gathered = this.#gathered;
    this.#gathered = undefined;
    if (gathered !== undefined) this.send(gathered);
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
    const { budget } = this.#context;
    const mustWait = !this.#isOpen || this.#isHeld || (this.#backlog?.bytes ?? 0) > 0;
    if (!mustWait) {
      const waiting = this.#socket!.bufferedAmount;
      if (waiting === 0 || waiting + data.length <= this.#writable) return this.#write(data);
    }
    if (this.policy === "close" && this.bufferedAmount + data.length > budget) {
      this.#context.onOverflow();
      return false;
    }
    return this.#keep(data, key);
  }

  /** Writes what waits, as far as the peer has made room. Returns whether nothing waits any more. */
  resume(): boolean {
    const backlog = this.#backlog;
    if (!this.#isOpen || this.#isHeld || backlog === undefined) return true;
    while (backlog.bytes > 0 && this.#socket!.bufferedAmount < this.#writable) {
      this.#write(backlog.shift()!);
    }
    return backlog.bytes === 0;
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
    return this.policy === "close" ? this.#context.budget : this.#context.budget / 2;
  }

  #keep(data: string | Uint8Array, key: string | undefined): boolean {
    const { budget, stalled } = this.#context;
    const backlog = this.#backlog ??= new Backlog();
    stalled.dropped += backlog.push(data, this.policy === "latest" ? key : undefined);
    while (backlog.count > 1 && this.bufferedAmount > budget) {
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
