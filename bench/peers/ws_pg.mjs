// `ws` on Node, with one `pg` query for each upgrade: `ws_pg.mjs ADDRESS`.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";
import pg from "pg";
import { WebSocketServer } from "ws";

const [connectionString] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString, max: 10 });
const server = createServer();
const sockets = new WebSocketServer({ noServer: true });

const FIND = {
  name: "find",
  text: `SELECT users.id, login, name FROM bench_sessions AS sessions
    JOIN bench_users AS users ON users.id = sessions.user_id
    WHERE token_hash = $1 AND expires_at > now()`,
};

server.on("upgrade", async (request, socket, head) => {
  socket.on("error", () => {});
  const { origin, host, cookie = "" } = request.headers;
  const [, token] = /\bsession=([^;]+)/.exec(cookie) ?? [];
  if (origin !== `http://${host}`) return refuse(socket, "403 Forbidden");
  if (token === undefined) return refuse(socket, "401 Unauthorized");
  const hash = createHash("sha256").update(token).digest("base64url");
  const { rows: [user] } = await pool.query({ ...FIND, values: [hash] });
  if (user === undefined) return refuse(socket, "401 Unauthorized");
  sockets.handleUpgrade(request, socket, head, (ws) => {
    ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
});

function refuse(socket, status) {
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
