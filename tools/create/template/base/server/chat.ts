/** The room: its messages in both directions, and what the server does with them. */
import {
  defineMessages,
  type HandlersOf,
  JsonConsumer,
  type LayerScope,
  type SignedInScope,
  unchecked,
} from "@sluice/sluice";
import { type PublicUser, toPublicUser } from "@sluice/sluice/auth";
import type { StreamScope } from "@sluice/sluice/streams";
import * as v from "valibot";

/** A message of the room. */
export interface Said {
  readonly text: string;
  readonly user: PublicUser;
  /** The time, as ISO 8601. */
  readonly at: string;
}

export const chatMessages = defineMessages({
  // What clients send is validated.
  client: {
    say: {
      data: v.object({ text: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(500)) }),
      appends: "room",
    },
  },
  // What the server sends needs a type only.
  server: {
    welcome: unchecked<{ readonly you: PublicUser }>(),
    said: unchecked<Said>(),
  },
});

export type ChatMessages = typeof chatMessages;

/** What the checks in `app.ts` have found out about a connection. */
interface ChatScope extends SignedInScope, LayerScope, StreamScope {
  readonly params: { readonly room: string };
}

/** One connection of a signed-in user to a room. */
export class ChatConsumer extends JsonConsumer<ChatMessages, ChatScope> {
  readonly messages = chatMessages;
  readonly handlers = handlers;

  /** The room keeps its messages: clients get those that they missed. */
  override get streams(): { readonly room: string } {
    return { room: `chat.${this.scope.params.room}` };
  }

  override async connect(): Promise<void> {
    await this.accept();
    this.sendJson({ type: "welcome", data: { you: toPublicUser(this.scope.user) } });
  }
}

const handlers: HandlersOf<ChatConsumer> = {
  async say({ text }) {
    const user = toPublicUser(this.scope.user);
    const said = { text, user, at: new Date().toISOString() };
    await this.append("room", { type: "said", data: said });
  },
};
