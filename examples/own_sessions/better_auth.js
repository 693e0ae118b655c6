import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { serve } from "@hono/node-server";
import { ExternalSessions } from "@sluice/sluice";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { attach } from "@sluice/sluice/node";
import { consoleLog } from "@sluice/sluice/server";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { Hono } from "hono";
import { createRealtime } from "./realtime.js";

const folder = process.env.DATA; // Shared by all processes; without it, everything is in memory.
const file = (name) => folder === undefined ? ":memory:" : `${folder}/${name}.sqlite`;

const sessions = new ExternalSessions({
  identify,
  kv: new SqliteKeyValue(file("sockets")),
  log: consoleLog,
});

const auth = betterAuth({
  secret: process.env.BETTER_AUTH_SECRET ?? randomBytes(32).toString("hex"),
  database: new DatabaseSync(file("users")),
  emailAndPassword: { enabled: true },
  databaseHooks: {
    // Sign-out, revocation, a new password, removal of the user: all of them delete sessions.
    session: { delete: { after: async ({ id }) => void await sessions.ended(id) } },
  },
});

async function identify({ headers }) {
  const found = await auth.api.getSession({
    headers,
    // The cookie cache would return ended sessions, and a check must not extend one.
    query: { disableCookieCache: true, disableRefresh: true },
  });
  if (found === null) return undefined;
  const { session, user: { id, name } } = found;
  return { sessionId: session.id, userId: id, expiresAt: session.expiresAt, user: { id, name } };
}

await (await getMigrations(auth.options)).runMigrations();

const app = new Hono();
app.on(["GET", "POST"], "/api/auth/*", (context) => auth.handler(context.req.raw));

const port = Number(process.env.PORT ?? 8000);
const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`listening on http://127.0.0.1:${port}`);
});
attach(server, createRealtime(sessions));
