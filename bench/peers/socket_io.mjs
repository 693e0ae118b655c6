// Socket.IO on Node: `echo`, `fan-out`, or `gate FILE`: a look-up of the session cookie in a Map, which
// is made of a file with one cookie a line.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

// Not by `import`: the package is in the cache folder, and a type checker here would miss it.
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
