import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "fresh";
import { fetcher } from "./support.ts";

/** Serves an app, sends it a message, and resolves to the reply. */
async function exchange(app: App<unknown>, protocol: string[] = []) {
  const server = Deno.serve({ port: 0, onListen() {} }, app.handler());
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = new WebSocket(`ws://localhost:${server.addr.port}/ws`, protocol);
  socket.onopen = () => socket.send("hello");
  socket.onmessage = ({ data }) => resolve(data);
  socket.onerror = () => reject(new Error("the socket failed"));
  const answer = await promise;
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
  await server.shutdown();
  return { answer, protocol: socket.protocol };
}

test("ctx.upgrade() returns the socket and the response", async () => {
  const app = new App().get("/ws", (ctx) => {
    const { socket, response } = ctx.upgrade();
    socket.onmessage = ({ data }) => socket.send(`bare ${data}`);
    return response;
  });
  assert.equal((await exchange(app)).answer, "bare hello");
});

test("ctx.upgrade() calls the given handlers", async () => {
  const events: string[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const app = new App().get("/ws", (ctx) =>
    ctx.upgrade({
      open: () => events.push("open"),
      message: (socket, { data }) => socket.send(`managed ${data}`),
      close: () => {
        events.push("close");
        resolve();
      },
    }));
  assert.equal((await exchange(app)).answer, "managed hello");
  await closed;
  assert.deepEqual(events, ["open", "close"]);
});

test("ctx.upgrade() selects the given subprotocol", async () => {
  const app = new App().get(
    "/ws",
    (ctx) => ctx.upgrade({ message: (socket) => socket.send("") }, { protocol: "two" }),
  );
  assert.equal((await exchange(app, ["one", "two"])).protocol, "two");
});

test("App.ws() opens sockets at its path", async () => {
  const app = new App().ws("/ws", { message: (socket, { data }) => socket.send(`ws ${data}`) });
  assert.equal((await exchange(app)).answer, "ws hello");
});

test("ctx.upgrade() answers 400 to a request without an upgrade", async () => {
  const app = new App().ws("/ws", { message() {} });
  assert.equal((await fetcher(app)("/ws")).status, 400);
});
