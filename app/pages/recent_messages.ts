import { StreamError, type StreamStore } from "@sluice/sluice/streams";
import { chatGroup } from "../../consumers/chat_consumer.ts";
import type { Said } from "../../consumers/chat_messages.ts";

/** How many messages the page of a room shows at first. */
const SHOWN_AT_FIRST = 50;

/** A message with its place in the history of its room. */
export interface RecentMessage extends Said {
  readonly offset: number;
}

/** The newest messages of a room. */
export interface RecentMessages {
  /** Oldest first. */
  readonly messages: readonly RecentMessage[];
  /** The end of the history, after which the page goes on; undefined if it could not be read. */
  readonly position: { readonly epoch: string; readonly offset: number } | undefined;
  /** Whether older messages are kept. */
  readonly more: boolean;
}

/** Reads the newest messages of a room. Without the database, the page has none. */
export async function recentMessages(store: StreamStore, room: string): Promise<RecentMessages> {
  try {
    const page = await store.read(chatGroup(room), { limit: SHOWN_AT_FIRST });
    const messages = page.messages.map(({ data, offset }) => ({ ...data as Said, offset }));
    return { messages, position: { epoch: page.epoch, offset: page.offset }, more: page.more };
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return { messages: [], position: undefined, more: false };
  }
}
