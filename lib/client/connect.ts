import type { Messages } from "../protocol/mod.ts";
import { clampMs } from "./backoff.ts";
import { type ClientEnvironment, toEnvironment } from "./environment.ts";
import { Exchange } from "./_exchange.ts";
import { socketUrl } from "./_socket_url.ts";
import { Link } from "./link/_link.ts";
import { Listeners } from "./_listeners.ts";
import type { RealtimeSocket, SocketState } from "./realtime_socket.ts";
import type { StreamStart } from "./stream_options.ts";

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  /**
   * Fetches a single-use ticket, for a client without a session cookie. Called before every attempt.
   * The ticket is sent in the handshake's subprotocols, never in the URL, and is never reused. If the
   * server refuses a ticket, throw its `Response`: a problem document with `NOT_SIGNED_IN` or
   * `SESSION_EXPIRED` stops the attempts.
   */
  readonly ticket?: (() => Promise<string>) | undefined;
  /**
   * The id of the user shown on the page. Messages sent before the first connection are delivered only
   * if it belongs to this user; later messages are queued for the user of the last connection anyway.
   */
  readonly user?: string | undefined;
  /** Where the socket begins to read its streams, by name. @default {with messages sent from now on} */
  readonly streams?: Readonly<Record<string, StreamStart>> | undefined;
  /** Maximum number of queued messages; 0 disables the queue. @default {64} */
  readonly maxQueued?: number | undefined;
  /**
   * Upper bound of the delay after the first failed attempt, in milliseconds, at least 100.
   * @default {500}
   */
  readonly baseDelayMs?: number | undefined;
  /** Largest upper bound of the delays, in milliseconds, at least 1,000. @default {20_000} */
  readonly maxDelayMs?: number | undefined;
  /** Time limit of an attempt, in milliseconds, at least 100. @default {15_000} */
  readonly openTimeoutMs?: number | undefined;
  /**
   * How long a connection must live before the delays start small again, in milliseconds, at least
   * 1,000.
   * @default {10_000}
   */
  readonly stableAfterMs?: number | undefined;
  /** Replacements for the globals of the browser or runtime. */
  readonly environment?: Partial<ClientEnvironment> | undefined;
}

/**
 * Connects to a consumer and reconnects automatically.
 *
 * A path is resolved against the URL of the page; `http` becomes `ws`, `https` becomes `wss`. The type
 * parameter, `typeof messages` of a `defineMessages()`, gives the types of sent and received messages
 * at no run-time cost.
 *
 * When the connection is lost, it reconnects after a random part of a growing delay (500 ms, 1 s, … 20
 * s), at a random time in the window that the server set (`retry=10000` in its close reason), or after
 * the `Retry-After` of a refusal. It reconnects at once when the network returns or the page becomes
 * visible, and slowly while the page is hidden. If reconnecting is pointless, it stops: `state` is
 * then `signed-out` (sign in and call `retry()`), `refused` or `closed`. Only a close code or a
 * problem document with a known code stops it; any other response is treated as temporary.
 *
 * Messages of streams are passed to handlers once and in order: the socket asks for those that it
 * missed, and reports how that went to `onRecovered()`.
 *
 * The server must be a `JsonConsumer` or answer `ping` frames like one.
 *
 * @throws {TypeError} The URL cannot be resolved, or there is no `WebSocket`.
 *
 * @example
 * ```ts
 * import { defineMessages, unchecked } from "@sluice/sluice";
 * import { connect } from "@sluice/sluice/client";
 * import assert from "node:assert/strict";
 * import * as v from "valibot";
 *
 * const messages = defineMessages({
 *   client: { say: { data: v.object({ text: v.string() }), reply: unchecked<{ id: string }>() } },
 *   server: { said: unchecked<{ text: string }>() },
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
  const url = socketUrl(address, environment.baseUrl);
  const states = new Listeners<[SocketState, RealtimeSocket<Messages>["detail"]]>(
    environment.report,
  );
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
      else if (link.willConnect) exchange.disconnect();
      else exchange.end();
      states.emit(() => link.detail === detail, state, detail);
    },
  });
  const exchange = new Exchange(link, {
    environment,
    maxQueued: options.maxQueued,
    user: options.user,
    streams: options.streams,
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
    // The types of `M` are a promise of the server: its messages are not validated here.
    on: (type, callback) => exchange.on(type, callback as (data: unknown) => void),
    onRecovered: (callback) => exchange.streams.recoveries.add(callback),
    loadBefore: (stream, options) => exchange.streams.loadBefore(stream, options),
    position: (stream) => exchange.streams.position(stream),
    onError: (callback) => exchange.errors.add(callback),
    send: (type, data) => exchange.send(type, data),
    request: (type, data, options) => exchange.request(type, data, options) as Promise<never>,
    retry: () => link.retry(),
    close: () => link.close(),
    [Symbol.dispose]: () => link.close(),
  };
}
