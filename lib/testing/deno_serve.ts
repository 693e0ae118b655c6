import type { Application, Scope } from "../scope.ts";
import type { Handler, HandlerOptions } from "../server/mod.ts";
import { createHandler } from "../server/to_handler.ts";

/** A server of a test, on a free port of this machine. */
export interface LiveServer extends AsyncDisposable {
  /** `http://127.0.0.1:…`, without a path. */
  readonly url: string;
  /** `ws://127.0.0.1:…`, without a path. */
  readonly wsUrl: string;
  readonly handler: Handler;
  /** Opens a socket; rejects with a `Response` where it is refused. Its offers are `protocols`. */
  open(path: string, protocols?: readonly string[]): Promise<WebSocket>;
}

/**
 * Serves an application, or a handler, on a free port until the end of its block: for what only real
 * sockets show. What Channels calls a `ChannelsLiveServerTestCase`, within the process of the test.
 *
 * At its end every connection is ended with 1001, and the port is free again.
 *
 * How such tests go wrong: a server that outlives its test (use `await using`), a port that is
 * written down (take `url`), and a wait of so many milliseconds (await the event).
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice/consumers";
 * import { route, router } from "@sluice/sluice/routing";
 * import { serve } from "@sluice/sluice/testing";
 * import type { Scope } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * class Echo extends Consumer {
 *   override receive(data: string | Uint8Array) {
 *     this.send(data);
 *   }
 * }
 *
 * await using server = serve(router<Scope>([route("/ws/echo", Echo)]));
 * assert.equal((await fetch(`${server.url}/ws/nothing`)).status, 404);
 * const socket = await server.open("/ws/echo");
 * const answer = new Promise<string>((resolve) => socket.onmessage = ({ data }) => resolve(data));
 * socket.send("hello");
 * assert.equal(await answer, "hello");
 * socket.close();
 * ```
 */
export function serve(
  target: Application<never> | Handler,
  options: HandlerOptions = {},
): LiveServer {
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
      handler.endAll(1001, "the test is over");
      // A shutdown would wait for ever for a peer that vanished before its 101.
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
