import { createHash, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { ExternalSessions } from "@sluice/sluice";
import { Tickets } from "@sluice/sluice/auth";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { attach } from "@sluice/sluice/node";
import { consoleLog } from "@sluice/sluice/server";
import { parseCookie } from "cookie";
import { unsign } from "cookie-signature";
import express from "express";
import session, { MemoryStore } from "express-session";
import { createRealtime } from "./realtime.js";

const secret = process.env.SESSION_SECRET ?? randomBytes(32).toString("hex");
const store = new MemoryStore(); // In production: connect-redis, connect-pg-simple, …

const sessions = new ExternalSessions({
  async identify({ headers }) {
    const cookie = parseCookie(headers.get("cookie") ?? "")["connect.sid"] ?? "";
    const sid = cookie.startsWith("s:") && unsign(cookie.slice(2), secret);
    if (!sid) return undefined;
    const found = await new Promise((resolve, reject) =>
      store.get(sid, (error, found) => error ? reject(error) : resolve(found))
    );
    if (!found?.user) return undefined;
    const { user, cookie: { expires } } = found;
    return { sessionId: idOf(sid), userId: user.id, expiresAt: new Date(expires), user };
  },
  tickets: new Tickets(new MemoryKeyValue()),
  log: consoleLog,
});

/** Returns an id that is not a secret: with the id itself, one could sign a cookie or read the store. */
function idOf(sid) {
  return createHash("sha256").update(sid).digest("base64url");
}

const app = express();
const cookie = { maxAge: 3_600_000, sameSite: "lax" };
app.use(session({ secret, store, cookie, resave: false, saveUninitialized: false }));
app.use(express.json());

app.post("/sign-in", async (request, response) => {
  const { sessionID } = request;
  const name = String(request.query.as); // In your application: check a password.
  if (!/^[\w .-]{1,64}$/.test(name)) return response.status(400).json({ code: "INVALID_NAME" });
  await promisify(request.session.regenerate).call(request.session);
  await sessions.ended(idOf(sessionID)); // The user may have been signed in as another one.
  request.session.user = { id: name, name };
  response.json({ name });
});

app.post("/sign-out", async (request, response) => {
  const { sessionID } = request;
  await promisify(request.session.destroy).call(request.session);
  await sessions.ended(idOf(sessionID));
  response.status(204).end();
});

// For pages of other origins, and programs. In your application: allow their origins (CORS).
app.post("/api/tickets", async (request, response) => {
  const path = request.body?.path;
  if (path !== "/ws/room") return response.status(400).json({ code: "INVALID_PATH" });
  const url = `http://${request.headers.host}${request.originalUrl}`;
  const ticket = await sessions.issueTicket(
    new Request(url, { headers: headersOf(request) }),
    path,
  );
  response.status(ticket === undefined ? 401 : 201).json(ticket ?? { code: "NOT_SIGNED_IN" });
});

/** Returns the headers of a request of Node as a `Headers` takes them. */
function headersOf({ headers }) {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value])
  );
}

const server = app.listen(process.env.PORT ?? 8000, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
attach(server, createRealtime(sessions));
