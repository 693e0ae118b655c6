// Socket.IO on Node: `echo`, `fan-out`, or `gate FILE`, which looks up the session cookie in a Map that
// is read from a file with one cookie per line.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

// Not a static `import`: the package is in the cache folder, where a type checker does not look.
const { Server } = createRequire(import.meta.url)("socket.io");

const [mode, file] = process.argv.slice(2);
const lines = file === undefined ? [] : readFileSync(file, "utf8").trim().split("\n");
const sessions = new Map(lines.map((line) => [line.replace(/.*session=/, ""), { user: line }]));

const server = createServer();
const io = new Server(server, {
  transports: ["websocket"],
  serveClient: false,
  allowRequest(request, allow) {
    if (mode !== "gate") return allow(null, true);
    const [, token] = /\bsession=([^;]+)/.exec(request.headers.cookie ?? "") ?? [];
    allow(null, sessions.has(token));
  },
});

io.on("connection", (socket) => {
  socket.on("say", (data) => {
    if (typeof data?.by !== "number" || typeof data.text !== "string") return;
    if (mode === "fan-out") io.emit("said", data);
    else socket.emit("said", data);
  });
});

server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
