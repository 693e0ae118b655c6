// Hono on Deno: `echo` or `fan-out`.
import { createRequire } from "node:module";
import process from "node:process";

// Not a static `import`: the packages are in the cache folder, where a type checker does not look.
const require = createRequire(import.meta.url);
const { Hono } = require("hono");
const { upgradeWebSocket } = require("hono/deno");

const isFanOut = process.argv[2] === "fan-out";
const all = new Set();

const app = new Hono();
app.get(
  "/",
  upgradeWebSocket(() => ({
    onOpen: (_event, socket) => all.add(socket.raw),
    onClose: (_event, socket) => all.delete(socket.raw),
    onMessage({ data }, socket) {
      const frame = JSON.parse(data);
      if (frame.type !== "say" || typeof frame.data?.by !== "number") return;
      if (typeof frame.data.text !== "string") return;
      const text = JSON.stringify({ type: "said", data: frame.data });
      if (!isFanOut) return socket.send(text);
      for (const other of all) other.send(text);
    },
  })),
);

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`listening ${port}`),
}, app.fetch);
