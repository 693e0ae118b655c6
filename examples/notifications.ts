/**
 * Notifies one user in all their open tabs: `deno run -A examples/notifications.ts`.
 *
 * Each socket joins a group of its user, so a message to that group reaches all of them. The group is
 * named after the provider's subject, because a login may change and may then belong to another user;
 * in this example the two are equal.
 *
 * `GET /sign-in?as=ada` signs in as any user. It replaces a real sign-in, as in `chat.ts`.
 *
 * ```sh ignore
 * curl -d '{"text":"Your build is done"}' 'http://127.0.0.1:8000/notify?login=ada'
 * ```
 *
 * @module
 */
import {
  defineMessages,
  type HandlersOf,
  JsonConsumer,
  layer as withLayer,
  type LayerScope,
  MemoryChannelLayer,
  MemorySessionStore,
  MemoryUserStore,
  origins,
  requireUser,
  route,
  session,
  Sessions,
  type SignedInScope,
  stack,
  toHandler,
  unchecked,
  user,
} from "@sluice/sluice";
import { serve } from "@sluice/sluice/deno";
import { consoleLog as log, readBody } from "@sluice/sluice/server";
import { sessionCookie } from "@sluice/sluice/sessions";

type AppScope = SignedInScope & LayerScope;

const messages = defineMessages({
  client: {},
  server: { notified: unchecked<{ readonly text: string }>() },
});

/** Accepts no messages from its client; messages to its group are forwarded unchanged. */
class NotificationsConsumer extends JsonConsumer<typeof messages, AppScope> {
  readonly messages = messages;
  readonly handlers: HandlersOf<NotificationsConsumer> = {};

  override get groups(): readonly string[] {
    return [groupOf(this.scope.user.subject)];
  }
}

function groupOf(subject: string): string {
  return `user.${subject}`;
}

const layer = new MemoryChannelLayer();
const users = new MemoryUserStore();
const sessions = new Sessions(new MemorySessionStore(), { log });
const realtime = toHandler(
  stack()
    .use(origins())
    .use(session(sessions))
    .use(user(users))
    .use(requireUser())
    .use(withLayer(layer))
    .routes([route("/ws/notifications", NotificationsConsumer)]),
);

async function notify(login: string, text: string): Promise<Response> {
  const { delivered, dropped } = await layer.groupSend(groupOf(login), {
    type: "notified",
    data: { text },
  });
  return Response.json({ delivered, dropped });
}

async function signInAs(login: string): Promise<Response> {
  const profile = { provider: "demo", subject: login, login, name: login, avatarUrl: undefined };
  const user = await users.save(profile);
  const { token } = await sessions.create({ userId: user.id, provider: "demo" });
  const maxAgeSeconds = sessions.cookieMaxAgeSeconds;
  const cookie = sessionCookie(token, { secure: false, maxAgeSeconds });
  return new Response(`You are ${login}\n`, { headers: { "set-cookie": cookie } });
}

serve(async (request, info) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.startsWith("/ws/")) return await realtime(request, info);
  if (pathname === "/sign-in") return await signInAs(searchParams.get("as") ?? "ada");
  if (pathname !== "/notify" || request.method !== "POST") {
    return new Response("POST /notify?login=ada\n", { status: 404 });
  }
  const { text } = JSON.parse(new TextDecoder().decode(await readBody(request)));
  return await notify(searchParams.get("login") ?? "", String(text));
}, { port: Number(Deno.env.get("PORT") ?? 8000), drain: () => realtime.drain(1000) });
