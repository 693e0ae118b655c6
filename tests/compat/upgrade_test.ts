import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "fresh";
import { fetcher } from "../support/compat/fresh_app.ts";

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

test("ctx.upgrade() selects the given subprotocol", async () => {
  const app = new App().get("/ws", (ctx) => {
    const { socket, response } = ctx.upgrade({ protocol: "two" });
    socket.onmessage = () => socket.send("");
    return response;
  });
  assert.equal((await exchange(app, ["one", "two"])).protocol, "two");
});

test("ctx.upgrade() answers 400 to a request without an upgrade", async () => {
  const app = new App().get("/ws", (ctx) => ctx.upgrade().response);
  assert.equal((await fetcher(app)("/ws")).status, 400);
});
