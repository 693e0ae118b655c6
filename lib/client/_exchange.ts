import {
  type HistoryData,
  type MessageFrame,
  parseServerFrame,
  type PingData,
  type PongData,
  type ReplyFrame,
  type ServerFrame,
} from "../protocol/frames.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { ExchangeOptions } from "./_exchange_options.ts";
import type { Link } from "./link/_link.ts";
import { Listeners } from "./_listeners.ts";
import { isReply, type Outgoing, type Pending, pendingPing } from "./_outgoing.ts";
import { PendingRequest, type PendingRequestContext, refusalOf } from "./_pending_request.ts";
import type { RequestOptions } from "./realtime_socket.ts";
import { RequestError } from "./request_error.ts";
import { Streams } from "./_streams.ts";

/** Default limit of queued messages. */
const DEFAULT_MAX_QUEUED = 64;

/**
 * Matches replies to requests, queues messages until there is a connection, and dispatches incoming
 * messages.
 *
 * *Security*: queued messages are sent only to a connection of the same user. Each connection is asked
 * for its user. If the user of the messages is known, nothing is sent before the answer.
 */
export class Exchange {
  /** Listeners for refusals of messages without a reply. */
  readonly errors: Listeners<[RequestError]>;
  /** The streams of the consumer. */
  readonly streams: Streams;
  readonly #messages = new Map<string, Listeners<[data: unknown, frame: MessageFrame]>>();
  readonly #queue = new Set<Outgoing>();
  readonly #pending = new Map<string, Pending>();
  readonly #link: Link;
  readonly #environment: ClientEnvironment;
  readonly #maxQueued: number;
  readonly #requests: PendingRequestContext;
  #lastId = 0;
  /** The user of the queued messages: `null` for anonymous, `undefined` if unknown. */
  #user: string | null | undefined;
  /** Whether the last connection has not reported its user. */
  #isUnanswered = false;
  #isIdentifying = false;

  constructor(link: Link, options: ExchangeOptions) {
    const { environment, maxQueued = NaN, user, streams: starts = {} } = options;
    this.#link = link;
    this.#environment = environment;
    this.#maxQueued = Number.isNaN(maxQueued) ? DEFAULT_MAX_QUEUED : maxQueued;
    this.#user = user;
    this.errors = new Listeners(environment.report);
    this.#requests = {
      environment,
      check: () => link.check(),
      ended: (request) => {
        this.#pending.delete(request.id);
        this.#queue.delete(request);
      },
      again: (request) => this.#postAgain(request),
    };
    this.streams = new Streams({
      environment,
      starts,
      history: (request) => this.request("history", request) as Promise<HistoryData>,
      deliver: (frame) => this.#deliver(frame),
      isActive: this.#isActive,
    });
  }

  on(type: string, callback: (data: unknown, frame: MessageFrame) => void): () => void {
    const listeners = this.#messages.get(type) ?? new Listeners(this.#environment.report);
    this.#messages.set(type, listeners);
    return listeners.add(callback);
  }

  send(type: string, data: unknown): void {
    const text = JSON.stringify({ type, data });
    this.#post({
      text,
      sent: false,
      fail: (code, message) => {
        if (this.#isActive()) this.#reportError(new RequestError(code, message));
      },
    });
  }

  request(type: string, data: unknown, options: RequestOptions = {}): Promise<unknown> {
    try {
      const message = { type, data, id: this.#nextId() };
      const request = new PendingRequest(this.#requests, message, options);
      if (options.signal?.aborted) request.abort();
      else this.#start(request);
      return request.promise;
    } catch (error) {
      return Promise.reject(error); // The data is not JSON.
    }
  }

  #start(request: PendingRequest): void {
    try {
      this.#post(request);
      this.#pending.set(request.id, request);
    } catch (error) {
      request.reject(error);
    }
  }

  /** Sends a ping and calls back with its reply, unless the connection is lost first. */
  ping(data: PingData | undefined, answer: (reply: ReplyFrame) => void): void {
    const id = this.#nextId();
    const text = JSON.stringify({ type: "ping", id, data });
    this.#pending.set(id, pendingPing(() => this.#pending.delete(id), answer));
    if (this.#link.isOpen) this.#link.send(text);
  }

  /** Sends queued messages on a new connection and asks for its user. */
  connect(): void {
    // Queued while the user of the lost connection was unknown: it may have been another one.
    if (this.#isUnanswered && this.#user === undefined) this.#rejectQueued();
    this.#isUnanswered = true;
    this.#isIdentifying = this.#user !== undefined;
    this.#flush();
    this.ping({ ask: "user" }, (reply) => {
      const { user } = (reply.ok && reply.data || {}) as Partial<PongData>;
      this.#identify(typeof user === "string" || user === null ? user : undefined);
    });
  }

  #identify(user: string | null | undefined): void {
    const isOther = this.#isIdentifying && user !== this.#user;
    this.#user = user;
    this.#isIdentifying = this.#isUnanswered = false;
    if (isOther) this.#rejectQueued();
    this.#flush();
  }

  #rejectQueued(): void {
    for (const outgoing of [...this.#queue]) {
      this.#queue.delete(outgoing);
      outgoing.fail("IDENTITY_CHANGED", "Not sent: the connection is another user's now");
    }
  }

  #flush(): void {
    for (const outgoing of this.#queue) {
      if (!this.#canSend) return;
      this.#queue.delete(outgoing);
      this.#transmit(outgoing);
    }
  }

  /**
   * Rejects requests whose reply is lost with the connection, and queues those with a key again, before
   * the messages that are already queued.
   */
  disconnect(): void {
    const again: PendingRequest[] = [];
    for (const pending of [...this.#pending.values()]) {
      if (!pending.sent) continue;
      if (pending instanceof PendingRequest && pending.isOnce) again.push(pending);
      else pending.fail("DISCONNECTED", "The connection was lost before the reply arrived");
    }
    for (const request of again) request.sent = false;
    const queued = [...again, ...this.#queue];
    this.#queue.clear();
    for (const outgoing of queued) this.#queue.add(outgoing);
    this.streams.disconnect();
  }

  /** Rejects all messages. */
  end(): void {
    this.streams.disconnect();
    for (const outgoing of new Set([...this.#pending.values(), ...this.#queue])) {
      outgoing.fail("CLOSED", `The socket is ${this.#link.state}`);
    }
    this.#queue.clear();
  }

  /** Dispatches the frames of a message, one per line. */
  receive(text: string): void {
    for (const line of text.split("\n")) {
      if (line === "" || !this.#isActive()) continue;
      try {
        this.#dispatch(parseServerFrame(line));
      } catch (error) {
        this.#environment.report(error);
      }
    }
  }

  #dispatch(frame: ServerFrame): void {
    if (isReply(frame)) this.#pending.get(frame.id)?.answer(frame);
    else if ("error" in frame) this.#reportError(refusalOf(frame.error));
    else if (!this.streams.receive(frame)) this.#deliver(frame);
  }

  #deliver(frame: MessageFrame): void {
    this.#messages.get(frame.type)?.emit(this.#isActive, frame.data, frame);
  }

  /** Sends a request again that the server could not handle. */
  #postAgain(request: PendingRequest): void {
    if (!this.#pending.has(request.id)) return;
    if (this.#canSend) this.#transmit(request);
    else this.#queue.add(request);
  }

  /** Whether listeners may be called: none is called after `close()`. */
  readonly #isActive = () => this.#link.state !== "closed";

  get #canSend(): boolean {
    return this.#link.isOpen && !this.#isIdentifying;
  }

  #nextId(): string {
    return (++this.#lastId).toString(36);
  }

  #post(outgoing: Outgoing): void {
    if (this.#canSend) return this.#transmit(outgoing);
    if (!this.#link.willConnect) {
      throw new RequestError("CLOSED", `Cannot send: the socket is ${this.#link.state}`);
    }
    // A live connection that has not reported its user accepts the default number, even if `maxQueued` is 0.
    const limit = this.#link.isOpen
      ? Math.max(this.#maxQueued, DEFAULT_MAX_QUEUED)
      : this.#maxQueued;
    if (this.#queue.size >= limit) {
      const message = `Cannot send: ${this.#queue.size} of ${limit} messages are already queued`;
      throw new RequestError("QUEUE_FULL", message);
    }
    this.#queue.add(outgoing);
  }

  #transmit(outgoing: Outgoing): void {
    outgoing.sent = true;
    outgoing.transmitted?.();
    this.#link.send(outgoing.text);
  }

  #reportError(error: RequestError): void {
    if (!this.errors.emit(this.#isActive, error)) this.#environment.report(error);
  }
}
