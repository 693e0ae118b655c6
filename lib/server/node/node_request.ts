import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import type { NetAddress } from "../serve_options.ts";

/** Methods whose requests have no body for a handler. */
const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** What a `Request` needs to know about its connection. */
export interface RequestContext {
  /** A valid `Host`. */
  readonly host: string;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
  /** Closes the connection after the response: the handler has cancelled the body. */
  leave(): void;
}

/**
 * Creates the `Request` of a message. Its body is read only as fast as the handler reads it; once it is
 * cancelled, the rest is not read.
 *
 * @throws {TypeError} The method is not allowed in a `Request`.
 */
export function toRequest(message: IncomingMessage, context: RequestContext): Request {
  const { host, signal } = context;
  const method = message.method ?? "GET";
  const scheme = isEncrypted(message) ? "https" : "http";
  const url = `${scheme}://${host}${targetOf(message)}`;
  const headers = toHeaders(message);
  if (isUpgraded(message)) {
    // A signal in the options would be followed as long as the socket is open.
    return Object.defineProperty(new Request(url, { method, headers }), "signal", {
      value: signal,
    });
  }
  const body = BODILESS.has(method) ? {} : { body: toStream(message, context), duplex: "half" };
  return new Request(url, { method, headers, signal, ...body } as RequestInit);
}

/** Returns the `Host` of a message, or for HTTP/1.0 without one the address it was sent to. */
export function hostOf({ headers, socket }: IncomingMessage): string {
  if (headers.host !== undefined) return headers.host;
  const { localAddress = "localhost", localPort = 80 } = socket;
  return `${isIPv6(localAddress) ? `[${localAddress}]` : localAddress}:${localPort}`;
}

/** Returns the address of the peer. */
export function peerOf({ socket }: IncomingMessage): NetAddress {
  return { hostname: socket.remoteAddress ?? "unknown", port: socket.remotePort ?? 0 };
}

/** Returns the path of a message, without its query, whatever the form of its target. */
export function pathOf(message: IncomingMessage): string {
  const [path = ""] = targetOf(message).split(/[?#]/, 1);
  return path;
}

/** The path and query. The host of an absolute-form target (RFC 9112 §3.2.2) is not used. */
function targetOf({ url = "/" }: IncomingMessage): string {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, "");
  return target.startsWith("/") ? target : `/${target}`;
}

function isEncrypted({ socket }: IncomingMessage): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

/** Whether the connection has left HTTP: it has no body then. */
function isUpgraded(message: IncomingMessage): boolean {
  return (message as { upgrade?: boolean }).upgrade === true;
}

function toHeaders({ headers }: IncomingMessage): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return result;
}

function toStream(
  message: IncomingMessage,
  { leave }: RequestContext,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      message.on("data", (chunk: Uint8Array) => {
        controller.enqueue(new Uint8Array(chunk));
        message.pause();
      });
      message.on("end", () => controller.close());
      message.on("error", (error) => controller.error(error));
      message.pause();
    },
    pull() {
      message.resume();
    },
    cancel() {
      message.removeAllListeners("data").removeAllListeners("end").pause();
      leave();
    },
  }, { highWaterMark: 0 });
}
