/**
 * The answer of a model, word by word, that survives a reload: `deno run -A examples/ai_stream.ts`.
 *
 * The words are appended to a stream, not to a socket: after a reload in the middle, the page goes on at
 * the right word, in any number of tabs. A sign-out ends the answer. The model is a fake of this file.
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
import { SignIn } from "@sluice/sluice/auth";
import { DevIdentity, DevProvider } from "@sluice/sluice/auth/dev";
import { streamSender } from "@sluice/sluice/consumers";
import { serve } from "@sluice/sluice/deno";
import { isCrossSite } from "@sluice/sluice/security";
import { consoleLog as log } from "@sluice/sluice/server";
import { MemoryStreamStore, streams, type StreamScope } from "@sluice/sluice/streams";
import * as v from "valibot";

const messages = defineMessages({
  client: { ask: { data: v.object({ question: v.pipe(v.string(), v.maxLength(500)) }) } },
  server: { question: unchecked<string>(), word: unchecked<string>(), end: unchecked<null>() },
});

const store = new MemoryStreamStore();
const channelLayer = new MemoryChannelLayer();
const sender = streamSender({ store, layer: channelLayer, messages });

/** The answers in progress, by user. */
const answering = new Map<string, AbortController>();

/** A model that echoes the question, slowly. */
async function* think(question: string): AsyncGenerator<string> {
  for (const word of `You asked: ${question} That is a good question.`.split(" ")) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    yield word;
  }
}

async function answer(userId: string, question: string): Promise<void> {
  answering.get(userId)?.abort();
  const stop = new AbortController();
  answering.set(userId, stop);
  const stream = { name: "answer", group: groupOf(userId) };
  await sender.append(stream, { type: "question", data: question });
  for await (const word of think(question)) {
    if (stop.signal.aborted) return;
    await sender.append(stream, { type: "word", data: word });
  }
  await sender.append(stream, { type: "end", data: null });
}

const groupOf = (userId: string) => `answer.${userId}`;

class ModelConsumer
  extends JsonConsumer<typeof messages, SignedInScope & LayerScope & StreamScope> {
  readonly messages = messages;
  readonly handlers = handlers;

  override get streams(): { readonly answer: string } {
    return { answer: groupOf(this.scope.user.id) };
  }

  override disconnect(code: number): void {
    if (code === 4401) answering.get(this.scope.user.id)?.abort();
  }
}

const handlers: HandlersOf<ModelConsumer> = {
  ask({ question }) {
    // Not awaited: the answer goes on without this socket.
    answer(this.scope.user.id, question).catch((error) => log.error("No answer", { error }));
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
    .use(layer(channelLayer))
    .use(streams(store))
    .routes([route("/ws/model", ModelConsumer)]),
);

const PAGE = `<!doctype html><title>Model</title>
<p><a href="/auth/signin?return_to=/">Sign in</a> <output></output>
<form method="post" action="/auth/signout"><button>Sign out</button></form>
<form id="ask"><input autofocus><button>Ask</button></form><p id="answer"></p>
<script>
  const socket = new WebSocket("/ws/model", "sluice.v1"), line = document.querySelector("#answer");
  const send = (frame) => socket.send(JSON.stringify(frame));
  const apply = { question: () => line.textContent = "", word: (word) => line.append(word + " "), end() {} };
  let next = 1; // The offset of the next message: this page shows everything that is kept.
  function read({ type, data, offset }) {
    if (offset === next) apply[type](data, next++);
    else if (offset > next) send({ type: "history", id: "h", data: { stream: "answer", after: next - 1, limit: 500 } });
  }
  socket.onclose = ({ code }) => document.querySelector("output").value = "Not connected: " + code;
  socket.onmessage = ({ data }) => data.split("\\n").map(JSON.parse).forEach((frame) => {
    if (frame.type === "stream") next = frame.data.first, read({ offset: frame.data.offset + 1 });
    else if (frame.type === "reply") frame.data?.messages?.forEach(read);
    else read(frame);
  });
  document.querySelector("#ask").onsubmit = (event) => {
    event.preventDefault();
    send({ type: "ask", data: { question: event.target[0].value } });
  };
</script>`;

serve(async (request, info) => {
  const url = new URL(request.url);
  const { pathname } = url;
  if (pathname.startsWith("/ws/")) return await realtime(request, info);
  const { hostname: address } = info.remoteAddr as Deno.NetAddr;
  const asked = { url, headers: request.headers, address };
  if (pathname === "/auth/signin") return await signIn.begin(asked);
  if (pathname === "/auth/callback/dev") return await signIn.finish(asked, "dev");
  const isSignOut = pathname === "/auth/signout" && request.method === "POST";
  if (isSignOut && !isCrossSite(request, url)) return await signIn.signOut(asked);
  if (pathname.startsWith("/auth/")) return await identity.handle(request, { address });
  return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
}, { port: Number(Deno.env.get("PORT") ?? 8000), drain: () => realtime.drain(1000) });
