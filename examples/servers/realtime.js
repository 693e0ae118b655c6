// The realtime part of an application: a room for signed-in users.
import {
  JsonConsumer,
  layer,
  MemoryChannelLayer,
  MemorySessionStore,
  MemoryUserStore,
  origins,
  requireUser,
  route,
  session,
  Sessions,
  stack,
  toHandler,
  user,
} from "@sluice/sluice";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { sessionCookie } from "@sluice/sluice/sessions";
import * as v from "valibot";

const messages = defineMessages({
  client: { say: { data: v.object({ text: v.pipe(v.string(), v.maxLength(500)) }) } },
  server: { said: unchecked() },
});

class Room extends JsonConsumer {
  messages = messages;
  groups = ["room"];
  handlers = {
    async say({ text }) {
      const from = this.scope.user.name;
      await this.groupSend("room", { type: "said", data: { from, text } });
    },
  };
}

const users = new MemoryUserStore();
const sessions = new Sessions(new MemorySessionStore());

/** Answers everything below `/ws/`. */
export const realtime = toHandler(
  stack()
    .use(origins())
    .use(session(sessions))
    .use(user(users))
    .use(requireUser())
    .use(layer(new MemoryChannelLayer()))
    .routes([route("/ws/room", Room)]),
);

/** Signs in anybody, and returns the `Set-Cookie` header: use a provider of `/auth` instead. */
export async function signIn(login) {
  const profile = { provider: "demo", subject: login, login, name: login, avatarUrl: undefined };
  const { id } = await users.save(profile);
  const { token } = await sessions.create({ userId: id, provider: "demo" });
  return sessionCookie(token, { secure: false, maxAgeSeconds: sessions.cookieMaxAgeSeconds });
}
