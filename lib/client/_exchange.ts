import {
  type MessageFrame,
  parseServerFrame,
  type PingData,
  type PongData,
  type ReplyFrame,
  type ServerFrame,
} from "../protocol/frames.ts";
import { clampMs } from "./backoff.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { Link } from "./_link.ts";
import { Listeners } from "./_listeners.ts";
import { RequestError, type RequestErrorCode } from "./request_error.ts";

/** A message to be sent. */
interface Outgoing {
  readonly text: string;
  sent: boolean;
  /** Settles the message without a reply. */
  readonly fail: (code: RequestErrorCode, message: string) => void;
}

/** A message that expects a reply. */
interface Pending extends Outgoing {
  readonly answer: (reply: ReplyFrame) => void;
}

/** Default limit of queued messages. */
const DEFAULT_MAX_QUEUED = 64;

/** Options of {@linkcode Exchange}. */
export interface ExchangeOptions {
  readonly environment: ClientEnvironment;
  readonly maxQueued: number | undefined;
  /** The user for whom messages are queued, if known. */
  readonly user: string | undefined;
}

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
  readonly #messages = new Map<string, Listeners<[data: unknown, frame: MessageFrame]>>();
  readonly #queue = new Set<Outgoing>();
  readonly #pending = new Map<string, Pending>();
  readonly #link: Link;
  readonly #environment: ClientEnvironment;
  readonly #maxQueued: number;
  #lastId = 0;
  /** The user of the queued messages: `null` for anonymous, `undefined` if unknown. */
  #user: string | null | undefined;
  /** Whether the last connection has not reported its user. */
  #isUnanswered = false;
  #isIdentifying = false;

  constructor(link: Link, { environment, maxQueued = NaN, user }: ExchangeOptions) {
    this.#link = link;
    this.#environment = environment;
    this.#maxQueued = Number.isNaN(maxQueued) ? DEFAULT_MAX_QUEUED : maxQueued;
    this.#user = user;
    this.errors = new Listeners(environment.report);
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

  request(
    type: string,
    data: unknown,
    options: {
      readonly timeoutMs?: number | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<unknown> {
    const { signal } = options;
    const timeoutMs = clampMs(options.timeoutMs, 10_000);
    const id = this.#nextId();
    const promise = new Promise((resolve, reject) => {
      const end = () => {
        this.#pending.delete(id);
        this.#queue.delete(pending);
        stopTimer();
        signal?.removeEventListener("abort", abort);
      };
      const fail = (code: RequestErrorCode, message: string, cause?: unknown) => {
        end();
        // A request cancelled by `close()` must not become an unhandled rejection.
        if (code === "CLOSED") promise.catch(() => {});
        reject(new RequestError(code, message, { sent: pending.sent, cause }));
      };
      const abort = () => fail("ABORTED", `The request "${type}" was aborted`, signal?.reason);
      const answer = (reply: ReplyFrame) => {
        end();
        if (reply.ok) resolve(reply.data);
        else reject(refusalOf(reply.error));
      };
      const text = JSON.stringify({ type, data, id });
      const pending: Pending = { text, sent: false, fail, answer };
      let stopTimer = () => {};
      if (signal?.aborted) return abort();
      this.#post(pending);
      this.#pending.set(id, pending);
      signal?.addEventListener("abort", abort);
      stopTimer = this.#environment.after(timeoutMs, () => {
        fail("TIMEOUT", `No reply to "${type}" within ${timeoutMs} ms`);
        this.#link.check();
      });
    });
    return promise;
  }

  /** Sends a ping and calls back with its reply, unless the connection is lost first. */
  ping(data: PingData | undefined, answer: (reply: ReplyFrame) => void): void {
    const id = this.#nextId();
    const forget = () => {
      this.#pending.delete(id);
    };
    const text = JSON.stringify({ type: "ping", id, data });
    this.#pending.set(id, {
      text,
      sent: true,
      fail: forget,
      answer(reply) {
        forget();
        answer(reply);
      },
    });
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

  /** Rejects requests whose reply is lost with the connection; queued messages stay queued. */
  disconnect(): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.sent) {
        pending.fail("DISCONNECTED", "The connection was lost before the reply arrived");
      }
    }
  }

  /** Rejects all messages. */
  end(): void {
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
    else this.#messages.get(frame.type)?.emit(this.#isActive, frame.data, frame);
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
    this.#link.send(outgoing.text);
  }

  #reportError(error: RequestError): void {
    if (!this.errors.emit(this.#isActive, error)) this.#environment.report(error);
  }
}

/** Also accepts an echoed ping, as the reply of a server that sends back all messages. */
function isReply(frame: ServerFrame): frame is ReplyFrame {
  return frame.type === "reply" || frame.type === "ping";
}

function refusalOf(error: { code: string; message: string }): RequestError {
  const { code, message, issues } = error as RequestError;
  return new RequestError(code, message, { issues, sent: true });
}
