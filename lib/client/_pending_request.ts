import type { FrameErrorBody, PingData, ReplyFrame } from "../protocol/frames.ts";
import { clampMs } from "./backoff.ts";
import type { ClientEnvironment } from "./environment.ts";
import type { RequestOptions } from "./realtime_socket.ts";
import { RequestError } from "./request_error.ts";

/** A message to be sent. */
export interface Outgoing {
  readonly id?: string;
  readonly text: string;
  /** Whether the message was handed to the current connection. */
  sent: boolean;
  /** Whether the message has a key, so that it may be sent again. */
  readonly isOnce?: boolean;
  /** Called when the message was handed to a connection. */
  transmitted?(): void;
  /** Takes the reply. */
  answer?(reply: ReplyFrame): void;
  /** Settles the message without a reply. */
  fail(code: RequestError["code"], message: string, cause?: unknown): void;
}

/** What {@linkcode openRequest} uses. */
export interface RequestContext {
  readonly environment: ClientEnvironment;
  /** Checks whether the connection still responds. */
  check(): void;
  /** Sends a request, or queues it. Throws if it can do neither. */
  post(request: Outgoing): void;
  /** Sends a request again that the server could not handle. */
  again(request: Outgoing): void;
  /** Called when a request has settled. */
  ended(request: Outgoing): void;
}

/** The default time limit, and how soon a connection without a reply is checked, in milliseconds. */
const REPLY_MS = 10_000;

/** How long the server remembers the key of a command, in milliseconds. */
const KEY_WINDOW_MS = 600_000;

/** Delay before a command is sent again that the server could not handle, in milliseconds. */
const AGAIN_MS = 1_000;

/** Sends a request, and resolves to the data of its reply. Rejects with the reason why there is none. */
export function openRequest(
  { environment: { after, random }, check, post, again, ended }: RequestContext,
  message: { readonly type: string; readonly data: unknown; readonly id: string },
  { signal, timeoutMs, once, key = once ? crypto.randomUUID() : undefined }: RequestOptions,
): Promise<unknown> {
  let wasSent = false;
  let stopCheck = () => {};
  const promise = new Promise((resolve, reject) => {
    const request: Outgoing = {
      id: message.id,
      text: JSON.stringify({ ...message, key }),
      isOnce: key !== undefined,
      sent: false,
      transmitted() {
        wasSent = true;
        if (!key) return;
        stopCheck();
        stopCheck = after(REPLY_MS, check);
      },
      answer(reply) {
        if (reply.ok) return end(resolve, reply.data);
        if (!key || !/^(UNAVAILABLE|RATE_LIMITED)$/.test(reply.error.code)) {
          return end(reject, refusalOf(reply.error));
        }
        request.sent = false;
        stopCheck();
        stopCheck = after(AGAIN_MS * (1 + random()), () => again(request));
      },
      fail(code, reason, cause) {
        // A request cancelled by `close()` must not become an unhandled rejection.
        if (code === "CLOSED") promise.catch(() => {});
        end(reject, new RequestError(code, reason, { sent: wasSent, cause }));
      },
    };
    const end = (settle: (value: unknown) => void, value: unknown) => {
      stopTimer();
      stopCheck();
      signal?.removeEventListener("abort", abort);
      ended(request);
      settle(value);
    };
    const abort = () => request.fail("ABORTED", "The signal was aborted", signal?.reason);
    const limitMs = clampMs(timeoutMs, key ? KEY_WINDOW_MS : REPLY_MS);
    const stopTimer = after(limitMs, () => {
      request.fail("TIMEOUT", `No reply within ${limitMs} ms`);
      check();
    });
    signal?.addEventListener("abort", abort);
    try {
      if (signal?.aborted) abort();
      else post(request);
    } catch (error) {
      end(reject, error);
    }
  });
  return promise;
}

/** Returns a ping that was sent. `end` takes its reply, or nothing if the connection is lost. */
export function pendingPing(
  id: string,
  data: PingData | undefined,
  end: (reply?: ReplyFrame) => void,
): Outgoing {
  const text = JSON.stringify({ type: "ping", id, data });
  return { text, sent: true, fail: () => end(), answer: end };
}

/** Returns the error of a refusal by the server. */
export function refusalOf({ code, message, issues }: FrameErrorBody): RequestError {
  return new RequestError(code, message, { issues, sent: true });
}
