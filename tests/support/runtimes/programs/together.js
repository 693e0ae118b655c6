// One of several servers, possibly on different runtimes, that share PostgreSQL and Redis.
import process from "node:process";
import { KvUserStore, requireUser, user } from "@sluice/sluice/auth";
import { JsonConsumer } from "@sluice/sluice/consumers";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { layer } from "@sluice/sluice/layers";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { route, stack } from "@sluice/sluice/routing";
import { origins } from "@sluice/sluice/security";
import { createLog, toHandler } from "@sluice/sluice/server";
import { createSessions, session, sessionCookie } from "@sluice/sluice/sessions";
import * as v from "valibot";

const runtime = ["Deno", "Bun"].find((name) => name in globalThis)?.toLowerCase() ?? "node";
const { serve } = await import(`@sluice/sluice/${runtime}`);

const log = createLog({ level: "warn" });
const kv = new PostgresKeyValue(process.env.DATABASE_URL);
const channels = new RedisChannelLayer(process.env.REDIS_URL);
const { sessions, controlLog, close } = createSessions(kv, { layer: channels, log });
const users = new KvUserStore(kv, { controlLog });

const messages = defineMessages({
  client: { say: { data: v.object({ text: v.string() }) } },
  server: { said: unchecked() },
});

class Room extends JsonConsumer {
  messages = messages;
  groups = ["room"];
  handlers = {
    async say({ text }) {
      const from = `${this.scope.user.login} on ${runtime}`;
      await this.groupSend("room", { type: "said", data: { from, text } });
    },
  };
}

const realtime = toHandler(
  stack()
    .use(origins())
    .use(session(sessions))
    .use(user(users))
    .use(requireUser())
    .use(layer(channels))
    .routes([route("/ws/room", Room)]),
  { log, freshness: sessions.freshness },
);

async function signIn(login) {
  const profile = { provider: "test", subject: login, login, name: login, avatarUrl: undefined };
  const { id: userId } = await users.save(profile);
  const { token, session } = await sessions.create({ userId, provider: "test" });
  const cookie = sessionCookie(token, { secure: false, maxAgeSeconds: 3_600 });
  return Response.json({ id: session.id }, { headers: { "set-cookie": cookie } });
}

serve(async (request, info) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.startsWith("/ws/")) return await realtime(request, info);
  if (pathname === "/signin") return await signIn(searchParams.get("as"));
  const ended = await sessions.end(searchParams.get("id"), "signed-out");
  return Response.json({ ended });
}, {
  port: Number(process.env.PORT),
  log,
  onListen: ({ hostname, port }) => console.log(`listening on http://${hostname}:${port}`),
  drain: () => realtime.drain(300),
  async close() {
    await close();
    await channels.close();
    await kv.close();
  },
});
