import type { Messages } from "../protocol/mod.ts";
import { clampMs } from "./backoff.ts";
import { type ClientEnvironment, toEnvironment } from "./environment.ts";
import { Exchange } from "./_exchange.ts";
import { Link } from "./_link.ts";
import { Listeners } from "./_listeners.ts";
import type { RealtimeSocket, SocketDetail, SocketState } from "./realtime_socket.ts";

/** How {@linkcode connect} behaves. */
export interface ConnectOptions {
  /**
   * Fetches a single-use ticket, for a client that has no session cookie to show. Called before every
   * attempt; a ticket goes into the handshake's subprotocols, never into the address, and is never
   * used twice. Throw the `Response` if the server refuses one: a problem document with
   * `NOT_SIGNED_IN` or `SESSION_EXPIRED` stops the attempts.
   */
  readonly ticket?: (() => Promise<string>) | undefined;
  /**
   * The id of the user that the page shows. What is sent before the first connection goes out only if
   * that is this user's; later messages wait in the name of the last connection's user anyway.
   */
  readonly user?: string | undefined;
  /** How many messages may wait for a connection; 0 for none. @default {64} */
  readonly maxQueued?: number | undefined;
  /** Bound of the wait after the first failed attempt, in milliseconds, at least 100. @default {500} */
  readonly baseDelayMs?: number | undefined;
  /** Bound that the waits grow to, in milliseconds, at least 1,000. @default {20_000} */
  readonly maxDelayMs?: number | undefined;
  /** When an attempt is given up, in milliseconds, at least 100. @default {15_000} */
  readonly openTimeoutMs?: number | undefined;
  /**
   * How long a connection lives before the waits start small again, in milliseconds, at least 1,000.
   * @default {10_000}
   */
  readonly stableAfterMs?: number | undefined;
  /** What stands for the globals of the browser, or of the runtime. */
  readonly environment?: Partial<ClientEnvironment> | undefined;
}

/**
 * Connects to a consumer, and stays connected.
 *
 * A path is resolved against the address of the page; `http` becomes `ws`, `https` becomes `wss`. The
 * type parameter, `typeof messages` of a `defineMessages()`, gives the types of what is sent and of
 * what comes; it costs nothing at run time.
 *
 * When the connection is lost it comes back: after a random part of a wait that grows (500 ms, 1 s, …
 * 20 s), anywhere in the window that the server named (`retry=10000` in the reason of its close), or
 * after the `Retry-After` of its refusal; at once when the network is back or somebody looks at the
 * page again, and slowly while nobody does. It does not come back if that is of no use: `state` is then
 * `signed-out` (sign in, and call `retry()`), `refused` or `closed`. Only a close code or a problem with a
 * code of the gate says so; any other answer passes.
 *
 * The server is a `JsonConsumer`, or answers `ping` frames as one does.
 *
 * @throws {TypeError} The address cannot be resolved, or there is no `WebSocket`.
 *
 * @example
 * ```ts
 * import { connect } from "@sluice/sluice/client";
 * import { defineMessages, type } from "@sluice/sluice/protocol";
 * import assert from "node:assert/strict";
 * import * as v from "valibot";
 *
 * const messages = defineMessages({
 *   client: { say: { data: v.object({ text: v.string() }), reply: type<{ id: string }>() } },
 *   server: { said: type<{ text: string }>() },
 * });
 *
 * // Any server that speaks the protocol; this one knows a single answer.
 * const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "sluice.v1" });
 *   socket.onmessage = ({ data }) => {
 *     const { id } = JSON.parse(data);
 *     socket.send(JSON.stringify({ type: "reply", id, ok: true, data: { id: "m1" } }));
 *   };
 *   return response;
 * });
 *
 * const room = connect<typeof messages>(`http://127.0.0.1:${server.addr.port}/ws/chat/lobby`);
 * room.on("said", ({ text }) => console.log(text));
 * const reply = await room.request("say", { text: "Hello" });
 * assert.equal(reply.id, "m1");
 *
 * room.close();
 * assert.equal(room.state, "closed");
 * await server.shutdown();
 * ```
 */
export function connect<M extends Messages = Messages>(
  address: string | URL,
  options: ConnectOptions = {},
): RealtimeSocket<M> {
  const environment = toEnvironment(options.environment);
  const url = resolve(address, environment.baseUrl);
  const states = new Listeners<[SocketState, SocketDetail]>(environment.report);
  const link = new Link(url, {
    environment,
    ticket: options.ticket,
    baseDelayMs: clampMs(options.baseDelayMs, 500, 100),
    maxDelayMs: clampMs(options.maxDelayMs, 20_000, 1_000),
    openTimeoutMs: clampMs(options.openTimeoutMs, 15_000, 100),
    stableAfterMs: clampMs(options.stableAfterMs, 10_000, 1_000),
    random: environment.random,
  }, {
    text: (text) => exchange.receive(text),
    ping: (answered) => exchange.ping(undefined, answered),
    change(state, detail) {
      if (state === "live") exchange.connect();
      else if (link.isComing) exchange.disconnect();
      else exchange.end();
      states.emit(() => link.detail === detail, state, detail);
    },
  });
  const exchange = new Exchange(link, {
    environment,
    maxQueued: options.maxQueued,
    user: options.user,
  });
  link.open();

  return {
    url,
    get state() {
      return link.state;
    },
    get detail() {
      return link.detail;
    },
    onState: (callback) => states.add(callback),
    // The types that `M` gives are a promise of the server: what it sends is not checked here.
    on: (type, callback) => exchange.on(type, callback as (data: unknown) => void),
    onError: (callback) => exchange.errors.add(callback),
    send: (type, data) => exchange.send(type, data),
    request: (type, data, options) => exchange.request(type, data, options) as Promise<never>,
    retry: () => link.retry(),
    close: () => link.close(),
    [Symbol.dispose]: () => link.close(),
  };
}

function resolve(address: string | URL, base: string | undefined): string {
  const [, secure, rest] = /^(?:http|ws)(s?):([^#]+)/.exec(toHref(address, base)) ?? [];
  if (rest === undefined) {
    throw new TypeError(`Cannot connect to "${address}": it is no http or ws address`);
  }
  return `ws${secure}:${rest}`;
}

function toHref(address: string | URL, base: string | undefined): string {
  try {
    return new URL(address, base).href;
  } catch {
    return "";
  }
}
