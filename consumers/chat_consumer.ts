import { type HandlersOf, JsonConsumer, type LayerScope, type SignedInScope } from "@sluice/sluice";
import { type PublicUser, toPublicUser } from "@sluice/sluice/auth";
import type { Presence } from "@sluice/sluice/presence";
import type { StreamScope } from "@sluice/sluice/streams";
import { type ChatMessages, chatMessages } from "./chat_messages.ts";

/** The scope that a chat needs. */
export interface ChatScope extends SignedInScope, LayerScope, StreamScope {
  readonly params: { readonly room: string };
}

/** Returns the group of a room, which is also its stream. */
export function chatGroup(room: string): string {
  return `chat.${room}`;
}

/** A chat room for signed-in users: every message goes to everyone in the room. */
export class ChatConsumer extends JsonConsumer<ChatMessages, ChatScope> {
  readonly messages = chatMessages;
  readonly handlers = handlers;
  readonly #presence: Presence<PublicUser>;

  constructor(scope: ChatScope, presence: Presence<PublicUser>) {
    super(scope);
    this.#presence = presence;
  }

  /** The group of all connections in this room. */
  get group(): string {
    return chatGroup(this.scope.params.room);
  }

  /** The room keeps its messages. */
  override get streams(): { readonly room: string } {
    return { room: this.group };
  }

  override async connect(): Promise<void> {
    await this.accept();
    const { connection, user } = this.scope;
    const you = toPublicUser(user);
    const people = await this.#presence.enter(this.group, { key: user.id, meta: you }, {
      connection,
      except: this.channelName,
    });
    this.sendJson({ type: "welcome", data: { you, people } });
  }
}

const handlers: HandlersOf<ChatConsumer> = {
  async say({ text }) {
    const id = crypto.randomUUID();
    const user = toPublicUser(this.scope.user);
    const said = { id, text, user, at: new Date().toISOString() };
    const reply = { id };
    await this.append("room", { type: "said", data: said }, { reply });
    return reply;
  },
};
