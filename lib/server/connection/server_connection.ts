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
  UnhandledMessageError,
} from "../../core/consumer.ts";
import type { Log } from "../../core/log.ts";
import { andThen } from "../../core/promises.ts";
import { isClientFault, type Socket } from "../../core/transport.ts";
import { SUBPROTOCOL } from "../../protocol/limits.ts";
import { CloseCode, type Refusal } from "../../protocol/mod.ts";
import { SendQueue } from "../writing/send_queue.ts";
import { ClientMessages } from "./client_messages.ts";
import type { ConnectionContext, PartsOwner } from "./connection_context.ts";
import type { Task } from "./inbox.ts";
import { type Decision, Lifecycle } from "./lifecycle.ts";
import { refusalOfEnd } from "../refusals.ts";
import { SerialQueue } from "./serial_queue.ts";

/**
 * One connection of a server: the admission of its client, the queues of its messages in both
 * directions, and its end, which comes once.
 *
 * Errors of the consumer never escape. An idle connection uses little memory: parts that it may never
 * need are created on demand.
 */
export class ServerConnection implements Connection, PartsOwner {
  readonly isUpgrade: boolean | "events";
  readonly #context: ConnectionContext;
  readonly #serial: number;
  readonly #life: Lifecycle;
  readonly #createdAt: number;
  #messages: ClientMessages | undefined;
  readonly #queue: SerialQueue;
  readonly #sendQueue: SendQueue;
  /** See `Consumer.forwards`. */
  #forwards: ((message: LayerMessage) => string | undefined) | undefined;

  /** Without `isUpgrade`, the client cannot be accepted as a socket. */
  constructor(serial: number, context: ConnectionContext, isUpgrade: boolean | "events") {
    this.#serial = serial;
    this.isUpgrade = isUpgrade;
    this.#context = context;
    this.#life = new Lifecycle(context, this);
    this.#createdAt = context.clock.now();
    this.#queue = new SerialQueue(context, this);
    this.#sendQueue = new SendQueue(context, this);
  }

  get id(): string {
    return `${this.#context.idPrefix}-${this.#serial}`;
  }

  get phase(): "deciding" | "open" | "ended" {
    return this.#life.phase;
  }

  get lastReceivedAt(): number {
    return this.#messages?.lastReceivedAt ?? this.#createdAt;
  }

  get log(): Log {
    return this.#context.log;
  }

  get bufferedAmount(): number {
    return this.#sendQueue.bufferedAmount;
  }

  // Called by the server.

  /** The reason for a refusal before the consumer was started. */
  get refusal(): Refusal | undefined {
    return this.#life.refusal;
  }

  /** Whether a consumer was started; from then on it decides. */
  get hasConsumer(): boolean {
    return this.#queue.consumer !== undefined;
  }

  /** Starts the consumer and returns its decision: synchronously if the consumer decides at once. */
  decide(consumer: ConnectionHandler): Decision | Promise<Decision> {
    this.#queue.consumer = consumer;
    this.#sendQueue.policy = consumer.slowReader ?? "close";
    if (this.phase === "ended") return { refused: refusalOfEnd(this.#life.endedBy?.code) };
    this.#queue.run(() => {
      this.#forwards = consumer.forwards;
      return andThen(consumer.start(), () => this.#life.refuseUndecided());
    });
    return this.#life.take();
  }

  /** Attaches the socket of an accepted client. */
  attach(socket: Socket): void {
    this.#sendQueue.attach(socket);
    if (!this.#closeEnded()) this.#context.opening.add(this);
  }

  /** Notifies the server when the connection ends. */
  watch(): void {
    this.#life.watch();
  }

  // Connection: called by consumers and middleware.

  accept(options: AcceptOptions = {}): void {
    if (!this.#life.accept(options)) return;
    this.#sendQueue.isBatched = options.subprotocol === SUBPROTOCOL;
  }

  acceptRequest(): Exchange {
    const exchange = this.#life.acceptRequest();
    this.#sendQueue.attach(exchange);
    return exchange;
  }

  refuse(refusal: Refusal): void {
    this.#life.refuse(refusal);
  }

  takeMessage(sharedBy?: string): boolean {
    return this.#client.takeMessage(sharedBy);
  }

  takePing(): boolean {
    return this.#client.takePing();
  }

  send(data: string | Uint8Array, key?: string): boolean {
    if (this.phase !== "open") return false;
    this.#queue.pauseIfStale();
    return this.#sendQueue.send(data, key);
  }

  sendFrame(frame: string, key?: string): boolean {
    if (this.phase !== "open") return false;
    this.#queue.pauseIfStale();
    return this.#sendQueue.sendFrame(frame, key);
  }

  deliver(message: LayerMessage): boolean {
    if (this.phase !== "open") return false;
    const frame = this.#queue.mustWait ? undefined : this.#forwards?.(message);
    if (frame === undefined) return this.#queue.event(message);
    this.#sendQueue.sendFrame(frame);
    return true;
  }

  gap(gap: LayerGap): void {
    this.#queue.gap(gap);
  }

  scopeChanged(parts: readonly string[]): void {
    this.#queue.scopeChanged(parts);
  }

  after(ms: number, callback: Task): () => void {
    const stop = this.#context.clock.after(ms, () => {
      this.offEnd(stop);
      this.#queue.add(callback);
    });
    this.onEnd(stop);
    return () => {
      this.offEnd(stop);
      stop();
    };
  }

  onEnd(listener: EndListener): void {
    this.#life.onEnd(listener);
  }

  offEnd(listener: EndListener): void {
    this.#life.offEnd(listener);
  }

  end(code: number, reason = ""): void {
    const finish = () => this.#finish({ code, reason, byServer: true });
    // A complete response that is held is sent first, unless the session proves to have ended.
    if (code === CloseCode.normal && this.#life.exchange?.isHeld) {
      this.#context.freshness!.whenFresh(finish);
    } else finish();
  }

  // SocketEvents: called by the transport.

  open(): void {
    this.#context.opening.delete(this);
    // Deno ignores a close() from before the socket opened.
    if (!this.#closeEnded()) this.#sendQueue.open();
  }

  message(data: string | Uint8Array): void {
    if (this.phase === "open") this.#client.receive(data, this.#queue);
  }

  close(code: number, reason: string): void {
    this.#life.release();
    this.#finish({ code: code === 0 ? CloseCode.abnormal : code, reason, byServer: false });
  }

  // Called by the queues.

  failed(error: unknown): void {
    if (error instanceof UnhandledMessageError) return this.#context.server.unhandled(this, error);
    if (this.#life.failed(error)) return;
    this.log.error("ConnectionHandler failed", { connection: this.id, error });
    this.end(CloseCode.internalError, "internal error");
  }

  paused(isPaused: boolean): void {
    if (isPaused) this.#sendQueue.hold();
    else this.#sendQueue.release();
  }

  get #client(): ClientMessages {
    return this.#messages ??= new ClientMessages(this.#context, this, this.#createdAt);
  }

  /** Closes the socket of a connection that has ended. Returns false for any other. */
  #closeEnded(): boolean {
    const end = this.#life.endedBy;
    if (end !== undefined) this.#sendQueue.close(end.code, end.reason);
    return end !== undefined;
  }

  #finish(end: ConnectionEnd): void {
    if (this.phase === "ended") return;
    this.#life.end(end.code, this.hasConsumer);
    this.#context.opening.delete(this);
    this.#queue.end();
    // Refusals of this turn say what the fault is.
    const isFault = end.byServer && isClientFault(end.code);
    this.#sendQueue.drop({ unsent: end.code !== CloseCode.normal && !isFault });
    this.#life.notify(end);
    if (end.byServer) this.#sendQueue.close(end.code, end.reason);
    else this.#life.exchange?.abandon();
    if (!this.#life.isAccepted) return;
    this.#queue.afterRunning(() => this.#life.disconnect(this.#queue.consumer!, end));
  }
}
