import type { Application, Scope } from "../../core/scope.ts";
import type { Handler, HandlerOptions } from "../../server/mod.ts";
import { createHandler } from "../../server/gate.ts";

/**
 * Serves an application or a handler on a free port until the end of the block, for tests that need
 * real sockets. Like the `ChannelsLiveServerTestCase` of Channels, but in the process of the test.
 *
 * At the end it closes every connection with 1001 and frees the port.
 *
 * Common mistakes: a server that outlives its test (use `await using`), a fixed port (use `url`), and
 * a fixed delay (await the event).
 *
 * @example
 * ```ts
 * import { Consumer, route, router, type Scope } from "@sluice/sluice";
 * import { startServer } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Echo extends Consumer {
 *   override receive(data: string | Uint8Array) {
 *     this.send(data);
 *   }
 * }
 *
 * await using server = startServer(router<Scope>([route("/ws/echo", Echo)]));
 * assert.equal((await fetch(`${server.url}/ws/nothing`)).status, 404);
 * const socket = await server.open("/ws/echo");
 * const answer = new Promise<string>((resolve) => socket.onmessage = ({ data }) => resolve(data));
 * socket.send("hello");
 * assert.equal(await answer, "hello");
 * socket.close();
 * ```
 */
export function startServer(
  target: Application<never> | Handler,
  options: HandlerOptions = {},
): AsyncDisposable & {
  /** `http://127.0.0.1:…`, without a path. */
  readonly url: string;
  /** `ws://127.0.0.1:…`, without a path. */
  readonly wsUrl: string;
  /** The handler, with its counters. */
  readonly handler: Handler;
  /** Opens a socket that offers `protocols`; rejects with the `Response` if it is refused. */
  open(path: string, protocols?: readonly string[]): Promise<WebSocket>;
} {
  const handler = isHandler(target) ? target : createHandler(target as Application<Scope>, options);
  const stop = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} },
    handler,
  );
  const place = `127.0.0.1:${server.addr.port}`;
  return {
    url: `http://${place}`,
    wsUrl: `ws://${place}`,
    handler,
    open: (path, protocols = []) => open(place, path, protocols),
    async [Symbol.asyncDispose]() {
      handler.endAll(1001, "test ended");
      // shutdown() would wait forever for a peer that vanished before the 101.
      stop.abort();
      await server.finished;
    },
  };
}

function open(place: string, path: string, protocols: readonly string[]): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${place}${path}`, [...protocols]);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = (event) => {
      event.preventDefault?.();
      fetch(`http://${place}${path}`).then(reject, reject);
    };
  });
}

function isHandler(target: Application<never> | Handler): target is Handler {
  return "endAll" in target;
}
