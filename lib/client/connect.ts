import type { Messages } from "../protocol/mod.ts";
import { toEnvironment } from "./environment.ts";
import type { ConnectOptions } from "./connect_options.ts";
import { Exchange } from "./_exchange.ts";
import { socketUrl } from "./_socket_url.ts";
import { Link } from "./link/link.ts";
import { toLinkOptions } from "./link/link_options.ts";
import { Listeners } from "./_listeners.ts";
import type { RealtimeSocket, SocketState } from "./realtime_socket.ts";

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
  const link: Link = new Link(toLinkOptions(url, environment, options), {
    text: (text) => exchange.receive(text),
    ping: (answered) => exchange.ping(undefined, answered),
    isIdle: () => !exchange.pending.size,
    change(state, detail) {
      if (state === "live") exchange.connect();
      else if (link.willConnect) exchange.disconnect();
      else exchange.end();
      states.emit(() => link.detail === detail, state, detail);
    },
  });
  const exchange: Exchange = new Exchange(link, environment, options);
  link.open();
  const close = () => link.close();

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
    onRecovered: (callback) => exchange.recoveries.add(callback),
    loadBefore: (stream, options) => exchange.reader(stream).loadBefore(options),
    position: (stream) => exchange.reader(stream).position,
    onError: (callback) => exchange.errors.add(callback),
    send: (type, data) => exchange.send(type, data),
    request: (type, data, options) => exchange.request(type, data, options) as Promise<never>,
    retry: () => link.retry(),
    close,
    [Symbol.dispose]: close,
  };
}
