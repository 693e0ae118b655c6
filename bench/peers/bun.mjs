// Bun with its built-in WebSockets, publish and subscribe: `echo` or `fan-out`.
import process from "node:process";

const isFanOut = process.argv[2] === "fan-out";
const { Bun } = globalThis;

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request, server) {
    return server.upgrade(request) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    open(socket) {
      if (isFanOut) socket.subscribe("all");
    },
    message(socket, message) {
      const frame = JSON.parse(message);
      if (frame.type !== "say" || typeof frame.data?.by !== "number") return;
      if (typeof frame.data.text !== "string") return;
      const text = JSON.stringify({ type: "said", data: frame.data });
      if (isFanOut) server.publish("all", text);
      else socket.send(text);
    },
  },
});

console.log(`listening ${server.port}`);
