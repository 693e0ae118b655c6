import {
  type MessageFrame,
  parseServerFrame,
  type PingData,
  type PongData,
  type ReplyFrame,
  type ServerFrame,
} from "../protocol/mod.ts";
import { clampMs } from "./backoff.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { Link } from "./_link.ts";
import { Listeners } from "./_listeners.ts";
import type { RequestOptions } from "./realtime_socket.ts";
import { RequestError, type RequestErrorCode } from "./request_error.ts";

/** A message on its way out. */
interface Outgoing {
  readonly text: string;
  sent: boolean;
  /** Ends the wait for it without a reply. */
  readonly fail: (code: RequestErrorCode, message: string) => void;
}

/** A message that waits for its reply. */
interface Pending extends Outgoing {
  readonly answer: (reply: ReplyFrame) => void;
}

/** How many messages may wait for a connection. */
const DEFAULT_MAX_QUEUED = 64;

/** How {@linkcode Exchange} behaves. */
export interface ExchangeOptions {
  readonly environment: ClientEnvironment;
  readonly maxQueued: number | undefined;
  /** The user in whose name messages wait, if it is known. */
  readonly user: string | undefined;
}

/**
 * Matches replies to requests, keeps what waits for a connection, and hands out what comes in.
 *
 * *Security*: what waits is sent to a connection of the same user only. Each connection is asked for its
 * user; while the answer is out, nothing is sent if the user of the messages is known.
 */
export class Exchange {
  /** Listeners to the messages that nobody waits for and that were not taken. */
  readonly errors: Listeners<[RequestError]>;
  readonly #messages = new Map<string, Listeners<[data: unknown, frame: MessageFrame]>>();
  readonly #queue = new Set<Outgoing>();
  readonly #pending = new Map<string, Pending>();
  readonly #link: Link;
  readonly #environment: ClientEnvironment;
  readonly #maxQueued: number;
  #lastId = 0;
  /** Whose messages wait: `null` for nobody's, `undefined` if it is not known. */
  #user: string | null | undefined;
  #asksForUser = false;

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
        if (this.#counts()) this.#reportError(new RequestError(code, message));
      },
    });
  }

  request(type: string, data: unknown, options: RequestOptions = {}): Promise<unknown> {
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
        // What `close()` gives up is no error of a caller that does not listen.
        if (code === "CLOSED") promise.catch(() => {});
        reject(new RequestError(code, message, { sent: pending.sent, cause }));
      };
      const abort = () => fail("ABORTED", `The request "${type}" was given up`, signal?.reason);
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

  /** Sends a ping, and calls back with its reply. It is lost with the connection. */
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

  /** Sends what waited to a new connection, and asks whose it is. */
  connect(): void {
    this.#asksForUser = this.#user !== undefined;
    this.#flush();
    this.ping({ ask: "user" }, (reply) => {
      const { user } = (reply.ok && reply.data || {}) as Partial<PongData>;
      this.#identify(typeof user === "string" || user === null ? user : undefined);
    });
  }

  #identify(user: string | null | undefined): void {
    const isOther = this.#asksForUser && user !== this.#user;
    this.#user = user;
    this.#asksForUser = false;
    for (const outgoing of isOther ? [...this.#queue] : []) {
      this.#queue.delete(outgoing);
      outgoing.fail("IDENTITY_CHANGED", "Not sent: the connection is another user's now");
    }
    this.#flush();
  }

  #flush(): void {
    for (const outgoing of this.#queue) {
      if (!this.#canSend) return;
      this.#queue.delete(outgoing);
      this.#transmit(outgoing);
    }
  }

  /** Gives up the replies that the lost connection owes; what waits to be sent goes on waiting. */
  disconnect(): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.sent) {
        pending.fail("DISCONNECTED", "The connection was lost before the reply came");
      }
    }
  }

  /** Gives everything up. */
  end(): void {
    for (const outgoing of new Set([...this.#pending.values(), ...this.#queue])) {
      outgoing.fail("CLOSED", `The socket is ${this.#link.state}`);
    }
    this.#queue.clear();
  }

  /** Hands out the frames of a message: one per line. */
  receive(text: string): void {
    for (const line of text.split("\n")) {
      if (line === "" || !this.#counts()) continue;
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
    else this.#messages.get(frame.type)?.emit(this.#counts, frame.data, frame);
  }

  /** Whether there is somebody to tell: nothing is handed out after `close()`. */
  readonly #counts = () => this.#link.state !== "closed";

  get #canSend(): boolean {
    return this.#link.isOpen && !this.#asksForUser;
  }

  #nextId(): string {
    return (++this.#lastId).toString(36);
  }

  #post(outgoing: Outgoing): void {
    if (this.#canSend) return this.#transmit(outgoing);
    if (!this.#link.isComing) {
      throw new RequestError("CLOSED", `Cannot send: the socket is ${this.#link.state}`);
    }
    // A live connection that has yet to tell its user takes messages whatever may wait for one.
    const most = this.#link.isOpen
      ? Math.max(this.#maxQueued, DEFAULT_MAX_QUEUED)
      : this.#maxQueued;
    if (this.#queue.size >= most) {
      const message = `Cannot send: ${this.#queue.size} of ${most} messages wait already`;
      throw new RequestError("QUEUE_FULL", message);
    }
    this.#queue.add(outgoing);
  }

  #transmit(outgoing: Outgoing): void {
    outgoing.sent = true;
    this.#link.send(outgoing.text);
  }

  #reportError(error: RequestError): void {
    if (!this.errors.emit(this.#counts, error)) this.#environment.report(error);
  }
}

/** A server that sends back what it gets answers a ping by that. */
function isReply(frame: ServerFrame): frame is ReplyFrame {
  return frame.type === "reply" || frame.type === "ping";
}

function refusalOf(error: { code: string; message: string }): RequestError {
  const { code, message, issues } = error as RequestError;
  return new RequestError(code, message, { issues, sent: true });
}
