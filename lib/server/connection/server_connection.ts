import { CloseCode, Refusal } from "../../protocol/mod.ts";
import { SUBPROTOCOL } from "../../protocol/limits.ts";
import type { Clock } from "../../core/clock.ts";
import type {
  AcceptOptions,
  Connection,
  ConnectionEnd,
  EndListener,
  Exchange,
} from "../../core/connection.ts";
import {
  type ConnectionHandler,
  type LayerGap,
  type LayerMessage,
  StopConsumer,
  UnhandledMessageError,
} from "../../core/consumer.ts";
import type { Log } from "../../core/log.ts";
import type { Socket, SocketEvents } from "../../core/transport.ts";
import { isClientFault } from "../client_fault.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { type Answer, HttpExchange } from "./http_exchange.ts";
import { isLargerThan, type Task } from "./inbox.ts";
import { isPromise } from "../../core/promises.ts";
import { SmallSet } from "../../core/small_set.ts";
import { SendQueue, type SendQueueContext } from "../writing/send_queue.ts";
import type { TimeoutList } from "../../time/timeout_list.ts";
import { refusalOfEnd } from "./refusal_of_end.ts";
import { TokenBucket } from "../../time/token_bucket.ts";
import { SerialQueue, type SerialQueueContext } from "./serial_queue.ts";

/** A consumer's decision: to accept the client as a socket, to answer a request, or to refuse. */
export type Decision =
  | { readonly accepted: AcceptOptions }
  | { readonly answer: Promise<Answer> }
  | { readonly refused: Refusal };

/** The server that owns the connections. */
export interface ConnectionServer {
  /** Called once when a watched connection ends. */
  ended(connection: ServerConnection, end: ConnectionEnd): void;
  /** Called for each layer message that the consumer has no handler for. */
  unhandled(connection: ServerConnection, error: UnhandledMessageError): void;
  /**
   * Called at most once, before or after `ended()`, when the peer has closed the network connection.
   */
  released(connection: ServerConnection): void;
}

/** What all connections of a server share. */
export interface ConnectionContext extends SerialQueueContext, SendQueueContext {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Notified when accepted connections end. */
  readonly server: ConnectionServer;
  /** Accepted sockets that are not open yet. */
  readonly opening: TimeoutList<ServerConnection>;
  /** Counts consumers that accepted a client, and their calls of `disconnect()`. */
  readonly lifecycleCounts: { connected: number; disconnected: number };
}

/** Keep-alives answered per message of the client's rate limit; more count as messages. */
const PINGS_PER_MESSAGE = 10;

/**
 * One connection of a server. It passes messages to its consumer one at a time and in order, enforces
 * the limits, and ends once.
 *
 * Errors of the consumer never escape. An idle connection uses little memory: parts that it may never
 * need are created on demand.
 */
export class ServerConnection extends SerialQueue implements Connection, SocketEvents {
  readonly id: string;
  readonly isUpgrade: boolean;
  lastReceivedAt: number;
  readonly #context: ConnectionContext;
  readonly #sendQueue: SendQueue;
  #bucket: TokenBucket | undefined;
  #pings: TokenBucket | undefined;
  #phase: "deciding" | "open" | "ended" = "deciding";
  /** See `Consumer.passes`. */
  #passes: ((message: LayerMessage) => string | undefined) | undefined;
  /** The consumer's decision, until the server takes it. */
  #decision: Decision | undefined;
  #settle: ((decision: Decision) => void) | undefined;
  #accepted = false;
  #exchange: HttpExchange | undefined;
  #end: ConnectionEnd | undefined;
  readonly #endListeners = new SmallSet<EndListener>();
  #isWatched = false;
  #isReleased = false;

  /**
   * @param isUpgrade Whether the request is an upgrade; only an upgrade can be accepted as a socket.
   */
  constructor(id: string, context: ConnectionContext, isUpgrade: boolean) {
    super(context);
    this.id = id;
    this.isUpgrade = isUpgrade;
    this.#context = context;
    this.#sendQueue = new SendQueue(context, this);
    this.lastReceivedAt = context.clock.now();
  }

  get phase(): "deciding" | "open" | "ended" {
    return this.#phase;
  }

  /** The reason for a refusal before the consumer was started. */
  get refusal(): Refusal | undefined {
    const decision = this.#decision;
    return decision !== undefined && "refused" in decision ? decision.refused : undefined;
  }

  /** Whether a consumer was started; from then on it decides. */
  get hasConsumer(): boolean {
    return this.consumer !== undefined;
  }

  get log(): Log {
    return this.#context.log;
  }

  get bufferedAmount(): number {
    return this.#sendQueue.bufferedAmount;
  }

  // Called by the server.

  /** Starts the consumer and returns its decision: synchronously if the consumer decides at once. */
  decide(consumer: ConnectionHandler): Decision | Promise<Decision> {
    this.consumer = consumer;
    this.#passes = consumer.forwards;
    this.#sendQueue.policy = consumer.slowReader ?? "close";
    if (this.#phase === "ended") return { refused: refusalOfEnd(this.#end?.code) };
    this.run(() => consumer.start());
    const decision = this.#decision;
    this.#decision = undefined;
    return decision ?? new Promise((resolve) => this.#settle = resolve);
  }

  /** Attaches the socket of an accepted client. */
  attach(socket: Socket): void {
    this.#sendQueue.attach(socket);
    if (this.#end !== undefined) return this.#sendQueue.close(this.#end.code, this.#end.reason);
    this.#context.opening.add(this);
  }

  /** Notifies the server when the connection ends. */
  watch(): void {
    this.#isWatched = true;
    if (this.#end !== undefined) this.#context.server.ended(this, this.#end);
  }

  // Connection: called by consumers and middleware.

  accept(options: AcceptOptions = {}): void {
    if (this.#phase === "ended") throw new StopConsumer("The connection has ended");
    if (this.#phase === "open") return;
    if (!this.isUpgrade) {
      this.refuse(Refusal.of("UPGRADE_REQUIRED"));
      throw new StopConsumer("The request is not an upgrade");
    }
    this.#phase = "open";
    this.#accepted = true;
    this.#context.lifecycleCounts.connected++;
    this.#sendQueue.isBatched = options.subprotocol === SUBPROTOCOL;
    this.#decided({ accepted: options });
  }

  acceptRequest(): Exchange {
    if (this.#phase === "ended") throw new StopConsumer("The connection has ended");
    if (this.#exchange !== undefined) return this.#exchange;
    if (this.#phase === "open") {
      throw new TypeError("Cannot answer a request that was upgraded to a socket");
    }
    this.#phase = "open";
    this.#accepted = true;
    this.#context.lifecycleCounts.connected++;
    this.#exchange = new HttpExchange(this, this.#context.freshness);
    this.#sendQueue.attach(this.#exchange);
    this.#decided({ answer: this.#exchange.answer });
    return this.#exchange;
  }

  refuse(refusal: Refusal): void {
    if (this.#exchange?.refuse(refusal) !== true && this.#phase !== "deciding") return;
    this.#decided({ refused: refusal });
    this.end(CloseCode.forbidden, refusal.code);
  }

  takeMessage(): boolean {
    return this.#take(this.#context.clock.elapsed());
  }

  takePing(): boolean {
    const { clock, limits: { messagesPerSecond, messageBurst } } = this.#context;
    const now = clock.elapsed();
    const perSecond = messagesPerSecond * PINGS_PER_MESSAGE;
    this.#pings ??= new TokenBucket(perSecond, messageBurst * PINGS_PER_MESSAGE, now);
    return this.#pings.take(now);
  }

  send(data: string | Uint8Array, key?: string): boolean {
    if (this.#phase !== "open") return false;
    this.holdWhileStale();
    return this.#sendQueue.send(data, key);
  }

  sendFrame(frame: string, key?: string): boolean {
    if (this.#phase !== "open") return false;
    this.holdWhileStale();
    return this.#sendQueue.sendFrame(frame, key);
  }

  /** Called by the send queue when it would exceed its limit. */
  overflowed(): void {
    this.end(CloseCode.tooSlow, "read too slowly");
  }

  end(code: number, reason = ""): void {
    const finish = () => this.#finish({ code, reason, byServer: true });
    // A complete response that is held is sent first, unless the session proves to have ended.
    if (code === CloseCode.normal && this.#exchange?.isHeld) {
      this.#context.freshness!.whenFresh(finish);
    } else finish();
  }

  onEnd(listener: EndListener): void {
    if (this.#end !== undefined) this.#notifyEnd(listener, this.#end);
    else this.#endListeners.add(listener);
  }

  offEnd(listener: EndListener): void {
    this.#endListeners.delete(listener);
  }

  deliver(message: LayerMessage): boolean {
    if (this.#phase !== "open") return false;
    if (this.mustWait) return this.keepEvent(message);
    const frame = this.#passes?.(message);
    if (frame === undefined) this.event(message);
    else this.#sendQueue.sendFrame(frame);
    return true;
  }

  gap(gap: LayerGap): void {
    const { consumer } = this;
    if (consumer?.gap && this.#phase !== "ended") this.inTurn(() => consumer.gap!(gap));
  }

  after(ms: number, callback: Task): () => void {
    const stop = this.#context.clock.after(ms, () => {
      this.offEnd(stop);
      if (this.#phase !== "ended") this.inTurn(callback);
    });
    this.onEnd(stop);
    return () => {
      this.offEnd(stop);
      stop();
    };
  }

  scopeChanged(parts: readonly string[]): void {
    const { consumer } = this;
    if (consumer === undefined || this.#phase === "ended") return;
    const failed = (error: unknown) => this.#report(error);
    try {
      const again = consumer.reauthorize?.();
      if (isPromise(again)) again.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
    if (consumer.scopeChanged && this.phase !== "ended") {
      this.inTurn(() => consumer.scopeChanged!(parts));
    }
  }

  // SocketEvents: called by the transport.

  open(): void {
    this.#context.opening.delete(this);
    // Deno ignores a close() from before the socket opened.
    if (this.#end !== undefined) return this.#sendQueue.close(this.#end.code, this.#end.reason);
    this.#sendQueue.open();
  }

  message(data: string | Uint8Array): void {
    if (this.#phase !== "open") return;
    const { limits, clock } = this.#context;
    if (isLargerThan(limits.maxMessageBytes, data)) {
      return this.end(
        CloseCode.messageTooLarge,
        `message larger than ${limits.maxMessageBytes} bytes`,
      );
    }
    if (typeof data === "string" && this.#answerPing(data)) return;
    this.lastReceivedAt = clock.now();
    if (!this.#take(clock.elapsed())) return this.#overrun(data);
    if (!this.mustWait) return this.receive(data);
    if (this.keepMessage(data)) return;
    this.end(CloseCode.tooFast, "messages arrive faster than they are handled");
  }

  close(code: number, reason: string): void {
    if (this.#isWatched && !this.#isReleased) this.#context.server.released(this);
    this.#isReleased = true;
    this.#finish({ code: code === 0 ? CloseCode.abnormal : code, reason, byServer: false });
  }

  // Turns: results of the consumer's methods.

  protected override onSettled(): void {
    if (this.#phase === "deciding") this.refuse(Refusal.of("FORBIDDEN"));
  }

  protected override onFailure(error: unknown): void {
    this.#report(error);
  }

  protected override onHold(isHeld: boolean): void {
    if (isHeld) this.#sendQueue.hold();
    else this.#sendQueue.release();
  }

  /** Answers a keep-alive at once. Returns false for other messages and for too many keep-alives. */
  #answerPing(data: string): boolean {
    const answer = this.consumer!.answerPing?.(data);
    if (answer === undefined || !this.takePing()) return false;
    if (answer !== "") this.sendFrame(answer);
    return true;
  }

  #take(now: number): boolean {
    const { messagesPerSecond, messageBurst } = this.#context.limits;
    this.#bucket ??= new TokenBucket(messagesPerSecond, messageBurst, now);
    return this.#bucket.take(now);
  }

  #report(error: unknown): void {
    if (error instanceof UnhandledMessageError) return this.#context.server.unhandled(this, error);
    if (this.#phase !== "deciding") {
      if (error instanceof Refusal && this.#exchange?.isPending) return this.refuse(error);
      this.#logError("Consumer failed", error);
      return this.end(CloseCode.internalError, "internal error");
    }
    if (!(error instanceof Refusal)) this.#logError("Consumer failed before accepting", error);
    this.refuse(error instanceof Refusal ? error : Refusal.of("INTERNAL"));
  }

  #overrun(data: string | Uint8Array): void {
    const consumer = this.consumer!;
    if (consumer.onRateLimited === undefined) return this.end(CloseCode.tooFast, "sent too fast");
    try {
      consumer.onRateLimited(data);
    } catch (error) {
      this.#report(error);
    }
  }

  #decided(decision: Decision): void {
    if (this.#settle === undefined) this.#decision = decision;
    else this.#settle(decision);
    this.#settle = undefined;
  }

  // The end.

  #finish(end: ConnectionEnd): void {
    if (this.#phase === "ended") return;
    // Creates a refusal only if a caller waits for it: it costs as much as everything else here.
    const isDeciding = this.#phase === "deciding" && this.consumer !== undefined;
    if (isDeciding && this.#decision === undefined) {
      this.#decided({ refused: refusalOfEnd(end.code) });
    }
    this.#phase = "ended";
    this.#end = end;
    this.#context.opening.delete(this);
    this.clear();
    // Refusals of this turn say what the fault is.
    const isFault = end.byServer && isClientFault(end.code);
    this.#sendQueue.drop({ unsent: end.code !== CloseCode.normal && !isFault });
    if (this.#isWatched) this.#context.server.ended(this, end);
    for (const listener of this.#endListeners) this.#notifyEnd(listener, end);
    this.#endListeners.clear();
    if (end.byServer) this.#sendQueue.close(end.code, end.reason);
    else this.#exchange?.abandon();
    if (this.#accepted) this.#disconnect(end);
  }

  #notifyEnd(listener: EndListener, end: ConnectionEnd): void {
    this.#guard(() => typeof listener === "function" ? listener(end) : listener.ended(end));
  }

  /**
   * Calls `disconnect()` once: now, or after the running method, for which it waits a limited time.
   */
  #disconnect({ code, reason }: ConnectionEnd): void {
    const call = () => {
      this.#context.lifecycleCounts.disconnected++;
      this.#guard(() => this.consumer!.disconnect(code, reason));
    };
    if (!this.isBusy) return call();
    let isCalled = false;
    const once = () => {
      if (isCalled) return;
      isCalled = true;
      this.afterRunning(undefined);
      cancel();
      call();
    };
    this.afterRunning(once);
    const cancel = this.#context.clock.after(this.#context.limits.teardownGraceMs, once);
  }

  #guard(work: () => void | Promise<void>): void {
    const failed = (error: unknown) => {
      if (!(error instanceof StopConsumer)) {
        this.#logError("Consumer failed during disconnect", error);
      }
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
