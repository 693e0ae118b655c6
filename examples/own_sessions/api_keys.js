import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { ExternalSessions } from "@sluice/sluice";
import { attach } from "@sluice/sluice/node";
import { anyOrigin } from "@sluice/sluice/security";
import { consoleLog } from "@sluice/sluice/server";
import { createRealtime } from "./realtime.js";

/** The keys by the hash of their secret. In your application: a table. */
const keys = new Map();
const hash = (secret) => createHash("sha256").update(secret).digest("base64url");

const sessions = new ExternalSessions({
  name: "api-keys", // Separate from the sessions of browsers.
  identify({ headers }) {
    const key = keys.get(hash(headers.get("x-api-key") ?? ""));
    if (key === undefined) return undefined;
    // The key takes the place of the session. Sockets are counted by `userId`: here, for each key.
    const id = `key:${key.id}`;
    return {
      sessionId: key.id,
      userId: id,
      expiresAt: key.expiresAt,
      user: { id, name: key.name },
    };
  },
  log: consoleLog,
});

function createKey(name, expiresAt) {
  const secret = `sk_${randomBytes(32).toString("base64url")}`; // Shown once, never stored.
  const key = { id: randomBytes(9).toString("base64url"), name, expiresAt };
  keys.set(hash(secret), key);
  return { id: key.id, secret };
}

/** Returns false if there is no such key. */
async function revokeKey(id) {
  const found = [...keys].find(([, key]) => key.id === id);
  if (found === undefined) return false;
  keys.delete(found[0]);
  await sessions.ended(id, { reason: "revoked" });
  return true;
}

const DAY_MS = 24 * 3_600_000;

// In your application: only for signed-in administrators.
async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  if (request.method === "POST" && pathname === "/keys") {
    const lifetimeMs = Number(searchParams.get("ms") ?? 30 * DAY_MS);
    const isValid = lifetimeMs > 0 && lifetimeMs <= 365 * DAY_MS; // Also false for NaN.
    if (!isValid) return response.writeHead(400).end("ms must be from 1 to a year");
    response.end(JSON.stringify(createKey(searchParams.get("name"), Date.now() + lifetimeMs)));
  } else if (request.method === "DELETE" && pathname.startsWith("/keys/")) {
    response.writeHead(await revokeKey(pathname.slice(6)) ? 204 : 404).end();
  } else response.writeHead(404).end();
}

const server = createServer((request, response) => {
  // Without the `catch`, a request that fails would end the process.
  answer(request, response).catch((error) => {
    consoleLog.error("a request failed", { error });
    if (!response.headersSent) response.writeHead(500);
    response.end();
  });
});
attach(server, createRealtime(sessions, anyOrigin()));
server.listen(process.env.PORT ?? 8000, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
