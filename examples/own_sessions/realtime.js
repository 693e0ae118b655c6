// The realtime part, whatever finds the session: a room for signed-in users.
import {
  JsonConsumer,
  layer,
  MemoryChannelLayer,
  origins,
  requireUser,
  route,
  socketLimits,
  stack,
  toHandler,
} from "@sluice/sluice";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
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

/** Answers everything below `/ws/`. `checkOrigin` is the middleware that checks the `Origin`. */
export function createRealtime(sessions, checkOrigin = origins()) {
  const application = stack()
    .use(checkOrigin)
    .use(sessions.session())
    .use(requireUser())
    .use(socketLimits({ perUser: 20 }))
    .use(layer(new MemoryChannelLayer()))
    .routes([route("/ws/room", Room)]);
  return toHandler(application, { freshness: sessions.freshness });
}
