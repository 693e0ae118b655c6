/**
 * Rooms with typed messages for signed-in users: `deno run -A examples/chat.ts`.
 *
 * The development provider handles sign-in, with the same code as any OpenID Connect provider. Open
 * `http://127.0.0.1:8000` in two browsers, as two users. All data is in memory.
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
import { SignIn, SignInError } from "@sluice/sluice/auth";
import { DevIdentity, DevProvider } from "@sluice/sluice/auth/dev";
import { serve } from "@sluice/sluice/deno";
import { isCrossSite } from "@sluice/sluice/security";
import { consoleLog as log } from "@sluice/sluice/server";
import * as v from "valibot";

const messages = defineMessages({
  client: {
    say: { data: v.object({ text: v.pipe(v.string(), v.minLength(1), v.maxLength(500)) }) },
  },
  server: { said: unchecked<{ readonly from: string; readonly text: string }>() },
});

interface ChatScope extends SignedInScope, LayerScope {
  readonly params: { readonly room: string };
}

class ChatConsumer extends JsonConsumer<typeof messages, ChatScope> {
  readonly messages = messages;
  readonly handlers = handlers;

  override get groups(): readonly string[] {
    return [`chat.${this.scope.params.room}`];
  }
}

const handlers: HandlersOf<ChatConsumer> = {
  async say({ text }) {
    const from = this.scope.user.name;
    await this.groupSend(this.groups[0]!, { type: "said", data: { from, text } });
  },
};

const users = new MemoryUserStore();
const sessions = new Sessions(new MemorySessionStore(), { log });
const identity = new DevIdentity({ log });
const providers = [new DevProvider(identity)];
const signIn = new SignIn({ providers, users, sessions }, { log });

const realtime = toHandler(
  stack()
    .use(origins())
    .use(session(sessions))
    .use(user(users))
    .use(requireUser())
    .use(layer(new MemoryChannelLayer()))
    .routes([route("/ws/chat/:room{slug}", ChatConsumer)]),
);

const PAGE = `<!doctype html><title>Chat</title>
<p><a href="/auth/signin?return_to=/">Sign in</a> <output></output>
<form method="post" action="/auth/signout"><button>Sign out</button></form>
<form id="say"><input autofocus><button>Say</button></form><ul></ul>
<script>
  const socket = new WebSocket("/ws/chat/lobby", "sluice.v1");
  const status = document.querySelector("output");
  socket.onopen = () => status.value = "You are in the lobby.";
  socket.onclose = ({ code }) => status.value = "Not connected: " + code;
  socket.onmessage = ({ data }) => data.split("\\n").map(JSON.parse).forEach((frame) => {
    const line = frame.type === "said" ? frame.data.from + ": " + frame.data.text
      : frame.error.issues?.[0].message ?? frame.error.message;
    document.querySelector("ul").appendChild(document.createElement("li")).textContent = line;
  });
  document.querySelector("#say").onsubmit = (event) => {
    event.preventDefault();
    const input = document.querySelector("input");
    socket.send(JSON.stringify({ type: "say", data: { text: input.value } }));
    input.value = "";
  };
</script>`;

/** Sign-in and sign-out: three paths, and those of the development provider. */
async function authenticate(request: Request, url: URL, address: string): Promise<Response> {
  const { headers, method } = request;
  const asked = { url, headers, address };
  try {
    if (url.pathname === "/auth/signin") return await signIn.begin(asked);
    if (url.pathname === "/auth/callback/dev") return await signIn.finish(asked, "dev");
    if (url.pathname !== "/auth/signout") return await identity.handle(request, { address });
    if (method === "POST" && !isCrossSite(request, url)) return await signIn.signOut(asked);
    return new Response("Sign out with the button\n", { status: 405 });
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    return new Response(`${error.message}\n`, { status: error.status });
  }
}

serve((request, info) => {
  const url = new URL(request.url);
  if (url.pathname.startsWith("/ws/")) return realtime(request, info);
  const { hostname } = info.remoteAddr as Deno.NetAddr;
  if (url.pathname.startsWith("/auth/")) return authenticate(request, url, hostname);
  return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
}, { port: Number(Deno.env.get("PORT") ?? 8000), drain: () => realtime.drain(1000) });
