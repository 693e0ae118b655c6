import { CloseCode, Refusal, SUBPROTOCOL } from "../protocol/mod.ts";
import {
  type AcceptOptions,
  type Clock,
  type Connection,
  type ConnectionEnd,
  type Consumer,
  type Exchange,
  type Freshness,
  type LayerMessage,
  type Log,
  type Socket,
  type SocketEvents,
  StopConsumer,
} from "../scope.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { Gatherer } from "./gatherer.ts";
import { type Answer, HttpExchange } from "./http_exchange.ts";
import { Inbox, type InboxItem, isData, sizeOf, type Task } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { refusalOfEnd } from "./refusal_of_end.ts";
import type { StalledReaders } from "./stalled_readers.ts";
import { TokenBucket } from "./token_bucket.ts";

/** What a connection was told by its consumer: let in, as a socket or as a request, or turned away. */
export type Decision =
  | { readonly accepted: AcceptOptions }
  | { readonly answer: Promise<Answer> }
  | { readonly refused: Refusal };

/** What a connection needs from outside. */
export interface ConnectionContext {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly stalled: StalledReaders;
  readonly gatherer: Gatherer;
  /** Counts consumers that let somebody in, and the ends that they were told of. */
  readonly lives: { connected: number; disconnected: number };
  /** Whether the request is an upgrade; else nobody is let in. */
  readonly isUpgrade: boolean;
  /** Says when nothing is to be acted on: the connection stands still then. */
  readonly freshness?: Freshness | undefined;
}

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
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  #phase: "deciding" | "open" | "ended" = "deciding";
  #consumer: Consumer | undefined;
  #settle: ((decision: Decision) => void) | undefined;
  /** Whether a method of the consumer runs; true until it was asked whether to let the client in. */
  #busy = true;
  #isWorkingOff = false;
  #isHeld = false;
  #accepted = false;
  #exchange: HttpExchange | undefined;
  #end: ConnectionEnd | undefined;
  #onEnd: ((end: ConnectionEnd) => void)[] = [];
  /** Takes the time limit for the opening away. */
  #onOpen: (() => void) | undefined;
  #onRelease: (() => void) | undefined;
  #afterRunning: (() => void) | undefined;

  constructor(id: string, context: ConnectionContext) {
    this.id = id;
    this.#context = context;
    this.#inbox = new Inbox(context.limits);
    this.#outbox = new Outbox({
      log: context.log,
      budget: context.limits.sendBufferBytes,
      stalled: context.stalled,
      gatherer: context.gatherer,
      onOverflow: () => this.end(CloseCode.tooSlow, "read too slowly"),
    });
    const now = context.clock.now();
    this.lastReceivedAt = now;
    const { messagesPerSecond, messageBurst } = context.limits;
    this.#bucket = new TokenBucket(messagesPerSecond, messageBurst, now);
  }

  get phase(): "deciding" | "open" | "ended" {
    return this.#phase;
  }

  get log(): Log {
    return this.#context.log;
  }

  get bufferedAmount(): number {
    return this.#outbox.bufferedAmount;
  }

  // What the server calls.

  /** Asks the consumer whether to let the client in. */
  decide(consumer: Consumer): Promise<Decision> {
    this.#consumer = consumer;
    this.#outbox.policy = consumer.slowReader ?? "close";
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (this.#phase === "ended") return this.#decided({ refused: refusalOfEnd(this.#end?.code) });
      this.#run(() => consumer.start());
    });
  }

  /** Takes the socket over which the client is let in. */
  attach(socket: Socket): void {
    this.#outbox.attach(socket);
    if (this.#end !== undefined) return this.#outbox.close(this.#end.code, this.#end.reason);
    const { clock, limits } = this.#context;
    this.#onOpen = clock.after(
      limits.openTimeoutMs,
      () => this.end(CloseCode.abnormal, "not opened"),
    );
  }

  /** Calls back when the peer has let go of the network connection, which may be never. */
  onRelease(callback: () => void): void {
    this.#onRelease = callback;
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
    this.#context.lives.connected++;
    this.#outbox.gathers = options.subprotocol === SUBPROTOCOL;
    this.#decided({ accepted: options });
  }

  acceptRequest(): Exchange {
    if (this.#phase === "ended") throw new StopConsumer("The connection is over");
    if (this.#exchange !== undefined) return this.#exchange;
    if (this.#phase === "open") throw new TypeError("Cannot answer: it is a socket by now");
    this.#phase = "open";
    this.#accepted = true;
    this.#context.lives.connected++;
    this.#exchange = new HttpExchange(this);
    this.#outbox.attach(this.#exchange);
    this.#decided({ answer: this.#exchange.answer });
    return this.#exchange;
  }

  refuse(refusal: Refusal): void {
    if (this.#exchange?.refuse(refusal) !== true && this.#phase !== "deciding") return;
    this.#decided({ refused: refusal });
    this.end(CloseCode.forbidden, refusal.code);
  }

  takeMessage(): boolean {
    return this.#bucket.take(this.#context.clock.now());
  }

  send(data: string | Uint8Array, key?: string): boolean {
    if (this.#phase !== "open") return false;
    this.#holdWhileStale();
    return this.#outbox.send(data, key);
  }

  sendFrame(frame: string, key?: string): boolean {
    return this.#phase === "open" && this.#outbox.sendFrame(frame, key);
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
    if (this.#mustWait) return this.#inbox.addEvent(message);
    this.#handle(message);
    return true;
  }

  after(ms: number, callback: Task): () => void {
    const stop = this.#context.clock.after(ms, () => {
      forget();
      if (this.#phase === "ended") return;
      this.#inTurn(callback);
    });
    const forget = this.onEnd(stop);
    return () => {
      forget();
      stop();
    };
  }

  scopeChanged(parts: readonly string[]): void {
    const consumer = this.#consumer;
    if (consumer === undefined || this.#phase === "ended") return;
    const failed = (error: unknown) => this.#report(error);
    try {
      const again = consumer.authorizeAgain?.();
      if (isPromise(again)) again.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
    if (consumer.scopeChanged) this.#inTurn(() => consumer.scopeChanged!(parts));
  }

  // SocketEvents: what the transport reports.

  open(): void {
    this.#onOpen?.();
    this.#onOpen = undefined;
    // Deno forgets a close that came before.
    if (this.#end !== undefined) return this.#outbox.close(this.#end.code, this.#end.reason);
    this.#outbox.open();
  }

  message(data: string | Uint8Array): void {
    if (this.#phase !== "open") return;
    const { limits, clock } = this.#context;
    if (sizeOf(data) > limits.maxMessageBytes) {
      return this.end(CloseCode.messageTooLarge, `a message takes ${limits.maxMessageBytes} bytes`);
    }
    const now = this.lastReceivedAt = clock.now();
    if (!this.#bucket.take(now)) return this.#overrun(data);
    if (!this.#mustWait) return this.#handle(data);
    if (this.#inbox.addMessage(data)) return;
    this.end(CloseCode.tooFast, "sent faster than it is handled");
  }

  close(code: number, reason: string): void {
    this.#onRelease?.();
    this.#onRelease = undefined;
    this.#finish({ code: code === 0 ? CloseCode.abnormal : code, reason, byServer: false });
  }

  // The consumer's turn.

  get #mustWait(): boolean {
    return this.#holdWhileStale() || this.#busy;
  }

  #holdWhileStale(): boolean {
    const { freshness } = this.#context;
    if (this.#isHeld || freshness?.isStale !== true) return this.#isHeld;
    this.#isHeld = true;
    this.#outbox.hold();
    freshness.whenFresh(() => {
      this.#isHeld = false;
      this.#outbox.release();
      this.#workOff();
    });
    return this.#isHeld;
  }

  #inTurn(task: Task): void {
    if (this.#phase === "ended") return;
    if (this.#mustWait) this.#inbox.addTask(task);
    else this.#handle(task);
  }

  #handle(item: InboxItem): void {
    const consumer = this.#consumer!;
    if (typeof item === "function") this.#run(item);
    else this.#run(() => isData(item) ? consumer.receive(item) : consumer.event(item));
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
    if (this.#phase === "deciding") this.refuse(new Refusal("FORBIDDEN"));
    this.#busy = false;
    this.#afterRunning?.();
    this.#workOff();
  };

  readonly #failed = (error: unknown): void => {
    if (!(error instanceof StopConsumer)) this.#report(error);
    this.#settled();
  };

  /** Handles what waits; a loop, so that many that wait do not pile up on the stack. */
  #workOff(): void {
    if (this.#isWorkingOff) return;
    this.#isWorkingOff = true;
    while (!this.#mustWait) {
      const item = this.#inbox.shift();
      if (item === undefined) break;
      this.#handle(item);
    }
    this.#isWorkingOff = false;
  }

  #report(error: unknown): void {
    if (this.#phase !== "deciding") {
      if (error instanceof Refusal && this.#exchange?.isPending) return this.refuse(error);
      this.#logError("Consumer failed", error);
      return this.end(CloseCode.internalError, "internal error");
    }
    if (!(error instanceof Refusal)) this.#logError("Consumer failed to decide", error);
    this.refuse(error instanceof Refusal ? error : new Refusal("INTERNAL"));
  }

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

  // The end.

  #finish(end: ConnectionEnd): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#end = end;
    this.#onOpen?.();
    this.#inbox.clear();
    this.#outbox.drop({ unsent: end.code !== CloseCode.normal });
    this.#decided({ refused: refusalOfEnd(end.code) });
    for (const callback of this.#onEnd.splice(0)) this.#guard(() => callback(end));
    if (end.byServer) this.#outbox.close(end.code, end.reason);
    else this.#exchange?.abandon();
    if (this.#accepted) this.#disconnect(end);
  }

  /** Calls `disconnect()` once: now, after what is running, or when that takes too long. */
  #disconnect({ code, reason }: ConnectionEnd): void {
    const call = () => {
      this.#context.lives.disconnected++;
      this.#guard(() => this.#consumer!.disconnect(code, reason));
    };
    if (!this.#busy) return call();
    const once = () => {
      if (this.#afterRunning !== once) return;
      this.#afterRunning = undefined;
      cancel();
      call();
    };
    this.#afterRunning = once;
    const cancel = this.#context.clock.after(this.#context.limits.teardownGraceMs, once);
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
