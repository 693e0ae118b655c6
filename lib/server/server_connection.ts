import { Buffer } from "node:buffer";
import { CloseCode, isSendableCloseCode, Refusal } from "../protocol/mod.ts";
import {
  type AcceptOptions,
  type Clock,
  type Connection,
  type ConnectionEnd,
  type Consumer,
  type LayerMessage,
  type Log,
  type Socket,
  type SocketEvents,
  StopConsumer,
} from "../scope.ts";
import { truncateReason } from "./close_reason.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { TokenBucket } from "./token_bucket.ts";

/** What a connection was told by its consumer: let in, or turned away. */
export type Decision = { readonly accepted: AcceptOptions } | { readonly refused: Refusal };

/** What a connection needs from outside. */
export interface ConnectionContext {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the request is an upgrade; else nobody is let in. */
  readonly isUpgrade: boolean;
}

type InboxItem = string | Uint8Array | LayerMessage;

/**
 * One connection of a server: hands messages to its consumer one at a time and in order, keeps its
 * limits, and ends once.
 *
 * Nothing that a consumer throws leaves it.
 */
export class ServerConnection implements Connection, SocketEvents {
  readonly id: string;
  lastReceivedAt: number;
  readonly #context: ConnectionContext;
  readonly #bucket: TokenBucket;
  #phase: "deciding" | "open" | "ended" = "deciding";
  #consumer: Consumer | undefined;
  #settle: ((decision: Decision) => void) | undefined;
  #socket: Socket | undefined;
  #isSocketOpen = false;
  #unsent: (string | Uint8Array)[] = [];
  #unsentBytes = 0;
  #busy = true;
  #inbox: InboxItem[] = [];
  #inboxBytes = 0;
  #inboxEvents = 0;
  #accepted = false;
  #end: ConnectionEnd | undefined;
  #onRelease: (() => void) | undefined;
  #onEnd: ((end: ConnectionEnd) => void)[] = [];
  #afterRunning: (() => void) | undefined;

  constructor(id: string, context: ConnectionContext) {
    this.id = id;
    this.#context = context;
    const now = context.clock.now();
    this.lastReceivedAt = now;
    const { messagesPerSecond, messageBurst } = context.limits;
    this.#bucket = new TokenBucket(messagesPerSecond, messageBurst, now);
  }

  get phase(): "deciding" | "open" | "ended" {
    return this.#phase;
  }

  get bufferedAmount(): number {
    return this.#unsentBytes + (this.#socket?.bufferedAmount ?? 0);
  }

  get log(): Log {
    return this.#context.log;
  }

  /** Calls back when the peer has let go of the network connection, which may be never. */
  onRelease(callback: () => void): void {
    this.#onRelease = callback;
  }

  /** How it ended, once it has. */
  get ended(): ConnectionEnd | undefined {
    return this.#end;
  }

  /** Asks the consumer whether to let the client in. */
  decide(consumer: Consumer): Promise<Decision> {
    this.#consumer = consumer;
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (this.#phase === "ended") return this.#decided({ refused: this.#refusalOfEnd() });
      this.#run(() => consumer.start());
    });
  }

  /** Takes the socket over which the client is let in. */
  attach(socket: Socket): void {
    this.#socket = socket;
    if (this.#phase === "ended") this.#closeSocket();
  }

  // Connection: what consumers and middleware call.

  accept(options: AcceptOptions = {}): void {
    if (this.#phase === "ended") throw new StopConsumer("The connection is over");
    if (this.#phase === "open") return;
    if (!this.#context.isUpgrade) {
      this.refuse(new Refusal("UPGRADE_REQUIRED"));
      throw new StopConsumer("The request is no upgrade");
    }
    this.#phase = "open";
    this.#accepted = true;
    this.#decided({ accepted: options });
  }

  refuse(refusal: Refusal): void {
    if (this.#phase !== "deciding") return;
    this.#decided({ refused: refusal });
    this.end(CloseCode.forbidden, refusal.code);
  }

  takeMessage(): boolean {
    return this.#bucket.take(this.#context.clock.now());
  }

  send(data: string | Uint8Array): boolean {
    if (this.#phase !== "open") return false;
    const waiting = this.bufferedAmount;
    if (waiting > 0 && waiting + data.length > this.#context.limits.sendBufferBytes) {
      this.end(CloseCode.tooSlow, "read too slowly");
      return false;
    }
    if (this.#isSocketOpen) return this.#write(data);
    this.#unsent.push(data);
    this.#unsentBytes += data.length;
    return true;
  }

  end(code: number, reason = ""): void {
    this.#finish({ code, reason, byServer: true });
  }

  onEnd(callback: (end: ConnectionEnd) => void): () => void {
    if (this.#end !== undefined) {
      this.#guard(() => callback(this.#end!));
      return () => {};
    }
    this.#onEnd.push(callback);
    return () => {
      const index = this.#onEnd.indexOf(callback);
      if (index >= 0) this.#onEnd.splice(index, 1);
    };
  }

  deliver(message: LayerMessage): boolean {
    if (this.#phase !== "open") return false;
    if (this.#busy) {
      if (this.#inboxEvents >= this.#context.limits.mailboxCapacity) return false;
      this.#inboxEvents++;
      this.#inbox.push(message);
      return true;
    }
    this.#handle(message);
    return true;
  }

  // SocketEvents: what the transport reports.

  open(): void {
    this.#isSocketOpen = true;
    const unsent = this.#unsent;
    this.#unsent = [];
    this.#unsentBytes = 0;
    for (const data of unsent) this.#write(data);
  }

  message(data: string | Uint8Array): void {
    if (this.#phase !== "open") return;
    const size = sizeOf(data);
    const { limits, clock } = this.#context;
    if (size > limits.maxMessageBytes) {
      return this.end(CloseCode.messageTooLarge, `a message takes ${limits.maxMessageBytes} bytes`);
    }
    const now = this.lastReceivedAt = clock.now();
    if (!this.#bucket.take(now)) return this.#overrun(data);
    if (!this.#busy) return this.#handle(data);
    this.#inboxBytes += size;
    if (this.#inboxBytes > limits.inboxBytes) {
      return this.end(CloseCode.tooFast, "sent faster than it is handled");
    }
    this.#inbox.push(data);
  }

  close(code: number, reason: string): void {
    this.#onRelease?.();
    this.#onRelease = undefined;
    const shown = code === 0 ? CloseCode.abnormal : code;
    this.#finish({ code: shown, reason, byServer: false });
  }

  // The consumer's turn.

  #handle(item: InboxItem): void {
    const consumer = this.#consumer!;
    this.#run(() =>
      typeof item === "string" || item instanceof Uint8Array
        ? consumer.receive(item)
        : consumer.event(item)
    );
  }

  #run(work: () => void | Promise<void>): void {
    this.#busy = true;
    try {
      const promise = work();
      if (isPromise(promise)) promise.then(this.#settled, this.#failed);
      else this.#settled();
    } catch (error) {
      this.#failed(error);
    }
  }

  readonly #settled = (): void => {
    if (this.#phase === "deciding") {
      this.refuse(new Refusal("FORBIDDEN"));
    }
    this.#busy = false;
    this.#afterRunning?.();
    this.#next();
  };

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof StopConsumer)) this.#report(error);
    this.#settled();
  };

  #report(error: unknown): void {
    if (this.#phase === "deciding") {
      const refusal = error instanceof Refusal ? error : new Refusal("INTERNAL");
      if (refusal !== error) this.#logError("Consumer failed to decide", error);
      return this.refuse(refusal);
    }
    this.#logError("Consumer failed", error);
    this.end(CloseCode.internalError, "internal error");
  }

  #next(): void {
    if (this.#draining) return;
    this.#draining = true;
    while (!this.#busy && this.#inbox.length > 0 && this.#phase === "open") {
      const item = this.#inbox.shift()!;
      if (typeof item === "string" || item instanceof Uint8Array) {
        this.#inboxBytes -= sizeOf(item);
      } else {
        this.#inboxEvents--;
      }
      this.#handle(item);
    }
    this.#draining = false;
  }
  #draining = false;

  #overrun(data: string | Uint8Array): void {
    const consumer = this.#consumer!;
    if (consumer.overrun === undefined) return this.end(CloseCode.tooFast, "sent too fast");
    try {
      consumer.overrun(data);
    } catch (error) {
      this.#report(error);
    }
  }

  #decided(decision: Decision): void {
    this.#settle?.(decision);
    this.#settle = undefined;
  }

  #refusalOfEnd(): Refusal {
    return this.#end?.code === CloseCode.sessionOver
      ? new Refusal("NOT_SIGNED_IN")
      : new Refusal("UNAVAILABLE");
  }

  // The end.

  #finish(end: ConnectionEnd): void {
    if (this.#phase === "ended") return;
    const wasBusy = this.#busy;
    this.#phase = "ended";
    this.#end = end;
    this.#inbox = [];
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#decided({ refused: this.#refusalOfEnd() });
    for (const callback of this.#onEnd.splice(0)) this.#guard(() => callback(end));
    if (end.byServer) this.#closeSocket();
    if (this.#accepted) this.#disconnect(end, wasBusy);
  }

  /** Calls `disconnect()` once: now, after what is running, or when that takes too long. */
  #disconnect(end: ConnectionEnd, wasBusy: boolean): void {
    const call = () => {
      this.#afterRunning = undefined;
      cancel?.();
      this.#guard(() => this.#consumer!.disconnect(end.code, end.reason));
    };
    let cancel: (() => void) | undefined;
    if (!wasBusy) return call();
    this.#afterRunning = call;
    cancel = this.#context.clock.after(this.#context.limits.teardownGraceMs, () => {
      if (this.#afterRunning === call) call();
    });
  }

  #write(data: string | Uint8Array): boolean {
    try {
      this.#socket!.send(data);
      return true;
    } catch (error) {
      this.#context.log.debug("Socket refused a message", { connection: this.id, error });
      return false;
    }
  }

  #closeSocket(): void {
    const end = this.#end!;
    const code = isSendableCloseCode(end.code) ? end.code : CloseCode.internalError;
    try {
      this.#socket?.close(code, truncateReason(end.reason));
    } catch (error) {
      this.#context.log.debug("Socket refused to close", { connection: this.id, error });
    }
  }

  #guard(work: () => void | Promise<void>): void {
    const failed = (error: unknown) => {
      if (!(error instanceof StopConsumer)) this.#logError("Consumer failed at its end", error);
    };
    try {
      const promise = work();
      if (isPromise(promise)) promise.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  #logError(message: string, error: unknown): void {
    this.#context.log.error(message, { connection: this.id, error });
  }
}

function isPromise(value: unknown): value is Promise<void> {
  return typeof value === "object" && value !== null && "then" in value;
}

function sizeOf(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
}
