/**
 * The chat of Django Channels' tutorial, with the next step that its readers write: it refuses
 * anonymous users. Start it with `deno run -A examples/channels_chat.ts`.
 *
 * The counterpart of `consumers.py`, `routing.py` and `asgi.py` is between the two lines. It does not
 * need to join and leave the group by hand, name methods in `type`, or check JSON itself, and no
 * socket outlives its session.
 *
 * `GET /sign-in?as=ada` replaces a sign-in; see `chat.ts` for a real one.
 *
 * @module
 */
import {
  defineMessages,
  type HandlersOf,
  JsonConsumer,
  layer,
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
import { consoleLog as log } from "@sluice/sluice/server";
import { sessionCookie } from "@sluice/sluice/sessions";
import * as v from "valibot";

const users = new MemoryUserStore();
const sessions = new Sessions(new MemorySessionStore(), { log });

// ---- consumers.py: messages, and one class for every user in a room
const messages = defineMessages({
  client: { message: { data: v.object({ message: v.string() }) } },
  server: { message: unchecked<{ readonly message: string }>() },
});

type ChatScope = SignedInScope & LayerScope & { readonly params: { readonly room: string } };

class ChatConsumer extends JsonConsumer<typeof messages, ChatScope> {
  readonly messages = messages;
  readonly handlers = handlers;

  override get groups(): readonly string[] {
    return [`chat_${this.scope.params.room}`];
  }
}

const handlers: HandlersOf<ChatConsumer> = {
  async message(data) {
    await this.groupSend(this.groups[0]!, { type: "message", data });
  },
};

// routing.py and asgi.py: origins, session, user, then the path
const realtime = toHandler(
  stack()
    .use(origins())
    .use(session(sessions))
    .use(user(users))
    .use(requireUser())
    .use(layer(new MemoryChannelLayer()))
    .routes([route("/ws/chat/:room{slug}", ChatConsumer)]),
);
// ----

async function signInAs(login: string): Promise<Response> {
  const profile = { provider: "demo", subject: login, login, name: login, avatarUrl: undefined };
  const user = await users.save(profile);
  const { token } = await sessions.create({ userId: user.id, provider: "demo" });
  const maxAgeSeconds = sessions.cookieMaxAgeSeconds;
  const cookie = sessionCookie(token, { secure: false, maxAgeSeconds });
  return new Response(null, { status: 303, headers: { location: "/", "set-cookie": cookie } });
}

const PAGE = `<!doctype html><title>Chat</title><a href="/sign-in?as=ada">Sign in as Ada</a>
<textarea cols="80" rows="10" readonly></textarea><form><input></form>
<script>
  const socket = new WebSocket("/ws/chat/lobby", "sluice.v1");
  const log = document.querySelector("textarea");
  socket.onmessage = ({ data }) => data.split("\\n").map(JSON.parse).forEach((frame) => {
    log.value += frame.data.message + "\\n";
  });
  document.forms[0].onsubmit = (event) => {
    event.preventDefault();
    const { value: message } = document.querySelector("input");
    socket.send(JSON.stringify({ type: "message", data: { message } }));
  };
</script>`;

serve((request, info) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.startsWith("/ws/")) return realtime(request, info);
  if (pathname === "/sign-in") return signInAs(searchParams.get("as") ?? "ada");
  return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
}, { port: Number(Deno.env.get("PORT") ?? 8000), drain: () => realtime.drain(1000) });
