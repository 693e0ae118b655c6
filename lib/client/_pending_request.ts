import type { FrameErrorBody, ReplyFrame } from "../protocol/frames.ts";
import { clampMs } from "./backoff.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { RequestOptions } from "./realtime_socket.ts";
import { RequestError, type RequestErrorCode } from "./request_error.ts";

/** What a {@linkcode PendingRequest} uses. */
export interface PendingRequestContext {
  readonly environment: ClientEnvironment;
  /** Checks whether the connection still responds. */
  check(): void;
  /** Called when the request has settled. */
  ended(request: PendingRequest): void;
  /** Sends the request again. */
  again(request: PendingRequest): void;
}

/** The default time limit, and how soon a connection without a reply is checked, in milliseconds. */
const REPLY_MS = 10_000;

/** How long the server remembers the key of a command, in milliseconds. */
const KEY_WINDOW_MS = 600_000;

/** Delay before a command is sent again that the server could not handle, in milliseconds. */
const AGAIN_MS = 1_000;

/** Refusals after which a command with a key is sent again. */
const TEMPORARY: readonly string[] = ["UNAVAILABLE", "RATE_LIMITED"];

/** A request until its reply or its failure. */
export class PendingRequest {
  readonly id: string;
  readonly text: string;
  readonly promise: Promise<unknown>;
  /** Whether the message has a key, so that it may be sent again. */
  readonly isOnce: boolean;
  /** Whether the message was handed to the current connection. */
  sent = false;
  readonly #type: string;
  readonly #context: PendingRequestContext;
  readonly #signal: AbortSignal | undefined;
  /** Whether the message was handed to any connection. */
  #wasSent = false;
  #resolve!: (data: unknown) => void;
  #reject!: (error: unknown) => void;
  #stopTimer: () => void = () => {};
  #stopCheck: () => void = () => {};
  readonly abort = () => {
    this.fail("ABORTED", `The request "${this.#type}" was aborted`, this.#signal?.reason);
  };

  constructor(
    context: PendingRequestContext,
    { type, data, id }: { readonly type: string; readonly data: unknown; readonly id: string },
    options: RequestOptions,
  ) {
    const key = options.key ?? (options.once ? crypto.randomUUID() : undefined);
    this.id = id;
    this.isOnce = key !== undefined;
    this.text = JSON.stringify({ type, data, id, key });
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#type = type;
    this.#context = context;
    this.#signal = options.signal;
    const limitMs = this.isOnce ? KEY_WINDOW_MS : REPLY_MS;
    const timeoutMs = clampMs(options.timeoutMs, limitMs);
    this.#signal?.addEventListener("abort", this.abort);
    this.#stopTimer = context.environment.after(timeoutMs, () => {
      this.fail("TIMEOUT", `No reply to "${type}" within ${timeoutMs} ms`);
      context.check();
    });
  }

  /** Called when the message was handed to a connection. */
  transmitted(): void {
    this.sent = this.#wasSent = true;
    if (!this.isOnce) return;
    this.#stopCheck();
    this.#stopCheck = this.#context.environment.after(REPLY_MS, () => this.#context.check());
  }

  answer(reply: ReplyFrame): void {
    if (reply.ok) {
      this.#end();
      return this.#resolve(reply.data);
    }
    if (this.isOnce && TEMPORARY.includes(reply.error.code)) return this.#sendLater();
    this.#end();
    this.#reject(refusalOf(reply.error));
  }

  fail(code: RequestErrorCode, message: string, cause?: unknown): void {
    // A request cancelled by `close()` must not become an unhandled rejection.
    if (code === "CLOSED") this.promise.catch(() => {});
    this.reject(new RequestError(code, message, { sent: this.#wasSent, cause }));
  }

  reject(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #sendLater(): void {
    const { environment, again } = this.#context;
    this.sent = false;
    this.#stopCheck();
    const delayMs = AGAIN_MS * (1 + environment.random());
    this.#stopCheck = environment.after(delayMs, () => again(this));
  }

  #end(): void {
    this.#stopTimer();
    this.#stopCheck();
    this.#signal?.removeEventListener("abort", this.abort);
    this.#context.ended(this);
  }
}

/** Returns the error of a refusal by the server. */
export function refusalOf(error: FrameErrorBody): RequestError {
  const { code, message, issues } = error;
  return new RequestError(code, message, { issues, sent: true });
}
