// `ws` on Node: `echo` or `fan-out`.
import process from "node:process";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const isFanOut = process.argv[2] === "fan-out";
const server = createServer();
const sockets = new WebSocketServer({ server });

sockets.on("connection", (socket) => {
  socket.on("message", (bytes) => {
    const frame = JSON.parse(bytes.toString());
    if (frame.type !== "say" || typeof frame.data?.by !== "number") return;
    if (typeof frame.data.text !== "string") return;
    const text = JSON.stringify({ type: "said", data: frame.data });
    if (!isFanOut) return socket.send(text);
    for (const other of sockets.clients) other.send(text);
  });
});

server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
