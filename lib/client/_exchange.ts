import {
  type HistoryData,
  type MessageFrame,
  parseServerFrame,
  type PingData,
  type PongData,
  type ReplyFrame,
  type ServerFrame,
  type StreamData,
  type StreamMark,
} from "../protocol/frames.ts";
import { clampMs } from "./backoff.ts";
import type { ConnectOptions } from "./connect_options.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { Link } from "./link/link.ts";
import { Listeners } from "./_listeners.ts";
import {
  openRequest,
  type Outgoing,
  pendingPing,
  refusalOf,
  type RequestContext,
} from "./_pending_request.ts";
import type { RequestOptions } from "./realtime_socket.ts";
import { RequestError } from "./request_error.ts";
import type { Recovery } from "./stream_options.ts";
import { StreamReader, type StreamReaderContext } from "./_stream_reader.ts";

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
  /** Listeners for how reading of streams went on after an interruption. */
  readonly recoveries: Listeners<[Recovery]>;
  readonly #messages = new Map<string, Listeners<[unknown, MessageFrame]>>();
  readonly #readers = new Map<string, StreamReader>();
  #queue = new Set<Outgoing>();
  /** Messages that wait for a reply. */
  readonly pending = new Map<string, Outgoing>();
  readonly #link: Link;
  readonly #environment: ClientEnvironment;
  readonly #maxQueued: number;
  readonly #starts: NonNullable<ConnectOptions["streams"]>;
  /** What requests and readers of streams use. */
  readonly #context: RequestContext & StreamReaderContext;
  #lastId = 0;
  /** The user of the queued messages: `null` for anonymous, `undefined` if unknown. */
  #user: string | null | undefined;
  /** Whether the last connection has not reported its user. */
  #isUnanswered = false;
  #isIdentifying = false;

  constructor(link: Link, environment: ClientEnvironment, options: ConnectOptions) {
    this.#link = link;
    this.#environment = environment;
    this.#maxQueued = clampMs(options.maxQueued, DEFAULT_MAX_QUEUED);
    this.#user = options.user;
    this.#starts = options.streams ?? {};
    this.errors = new Listeners(environment.report);
    this.recoveries = new Listeners(environment.report);
    this.#context = {
      environment,
      check: () => link.check(),
      post: (request) => {
        this.#post(request);
        this.pending.set(request.id!, request);
      },
      again: (request) => {
        if (this.#canSend) this.#transmit(request);
        else this.#queue.add(request);
      },
      ended: (request) => {
        this.pending.delete(request.id!);
        this.#queue.delete(request);
      },
      history: (request) => this.request("history", request) as Promise<HistoryData>,
      deliver: (frame) => {
        this.#messages.get(frame.type)?.emit(this.#isActive, frame.data, frame);
      },
      recovered: (recovery) => {
        this.recoveries.emit(this.#isActive, recovery);
      },
    };
  }

  on(type: string, callback: (data: unknown, frame: MessageFrame) => void): () => void {
    const listeners = this.#messages.get(type) ?? new Listeners(this.#environment.report);
    this.#messages.set(type, listeners);
    return listeners.add(callback);
  }

  send(type: string, data: unknown): void {
    this.#post({
      text: JSON.stringify({ type, data }),
      sent: false,
      fail: (code, message) => {
        if (this.#isActive()) this.#reportError(new RequestError(code, message));
      },
    });
  }

  request(type: string, data: unknown, options: RequestOptions = {}): Promise<unknown> {
    return openRequest(this.#context, { type, data, id: this.#nextId() }, options);
  }

  /** Sends a ping and calls back with its reply, unless the connection is lost first. */
  ping(data: PingData | undefined, answer: (reply: ReplyFrame) => void): void {
    const id = this.#nextId();
    const ping = pendingPing(id, data, (reply) => {
      this.pending.delete(id);
      if (reply) answer(reply);
    });
    this.pending.set(id, ping);
    if (this.#link.isOpen) this.#link.send(ping.text);
  }

  /** Returns the reader of a stream. */
  reader(stream: string): StreamReader {
    let reader = this.#readers.get(stream);
    if (!reader) {
      reader = new StreamReader(stream, this.#context, this.#starts[stream]);
      this.#readers.set(stream, reader);
    }
    return reader;
  }

  /** Sends queued messages on a new connection and asks for its user. */
  connect(): void {
    // Queued while the user of the lost connection was unknown: it may have been another one.
    if (this.#isUnanswered && this.#user === undefined) this.#rejectQueued();
    this.#isUnanswered = true;
    this.#isIdentifying = this.#user !== undefined;
    this.#flush();
    this.ping({ ask: "user" }, (reply) => {
      const user = reply.ok ? (reply.data as Partial<PongData> | undefined)?.user : undefined;
      const isOther = this.#isIdentifying && user !== this.#user;
      this.#user = user;
      this.#isIdentifying = this.#isUnanswered = false;
      if (isOther) this.#rejectQueued();
      this.#flush();
    });
  }

  #rejectQueued(): void {
    for (const outgoing of [...this.#queue]) {
      this.#queue.delete(outgoing);
      outgoing.fail("IDENTITY_CHANGED", "Another user is signed in");
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
    const again: Outgoing[] = [];
    for (const pending of [...this.pending.values()].filter(({ sent }) => sent)) {
      if (pending.isOnce) again.push(pending);
      else pending.fail("DISCONNECTED", "The connection was lost");
      pending.sent = false;
    }
    this.#queue = new Set([...again, ...this.#queue]);
    for (const reader of this.#readers.values()) reader.disconnect();
  }

  /** Rejects all messages. */
  end(): void {
    for (const reader of this.#readers.values()) reader.disconnect();
    for (const outgoing of new Set([...this.pending.values(), ...this.#queue])) {
      outgoing.fail("CLOSED", `The socket is ${this.#link.state}`);
    }
    this.#queue.clear();
  }

  /** Dispatches the frames of a message, one per line. */
  receive(text: string): void {
    for (const line of text.split("\n")) {
      if (!line || !this.#isActive()) continue;
      try {
        this.#dispatch(parseServerFrame(line));
      } catch (error) {
        this.#environment.report(error);
      }
    }
  }

  #dispatch(frame: ServerFrame): void {
    const message = frame as MessageFrame & StreamMark;
    // An echoed ping is the reply of a server that sends back all messages.
    if (frame.type === "reply" || frame.type === "ping") {
      const reply = frame as ReplyFrame;
      this.pending.get(reply.id)?.answer?.(reply);
    } else if ("error" in frame) this.#reportError(refusalOf(frame.error));
    else if (frame.type === "stream") {
      const extent = message.data as StreamData;
      this.reader(extent.stream).extend(extent);
    } else if (message.stream !== undefined) this.reader(message.stream).receive(message);
    else this.#context.deliver(message);
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
    const { willConnect, isOpen, state } = this.#link;
    if (!willConnect) throw new RequestError("CLOSED", `The socket is ${state}`);
    // A live connection that has not reported its user accepts the default number, even if `maxQueued` is 0.
    const limit = isOpen ? Math.max(this.#maxQueued, DEFAULT_MAX_QUEUED) : this.#maxQueued;
    if (this.#queue.size >= limit) {
      throw new RequestError("QUEUE_FULL", `${limit} messages are queued`);
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
