import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { type ChannelLayer, type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import type { Log } from "@sluice/sluice/server";
import { MemoryStreamStore, type StreamScope, type StreamStore } from "@sluice/sluice/streams";
import { communicate, type Communicator } from "@sluice/sluice/testing";
import * as v from "valibot";

const text = { data: v.object({ text: v.string() }), reply: unchecked<{ id: string }>() };

/** The messages of {@linkcode RoomConsumer}. */
export const roomMessages = defineMessages({
  client: {
    say: { ...text, appends: "room" },
    count: { data: v.unknown(), reply: unchecked<number>() },
  },
  server: { said: unchecked<{ text: string }>() },
});

/** What the consumers of a test share. */
export interface RoomParts {
  readonly store: StreamStore;
  readonly layer: ChannelLayer;
  /** How often handlers ran. */
  ran: { say: number; count: number };
  /** Awaited by each handler at its end. */
  finish: () => void | Promise<void>;
  /** The answer of the policy of the stream. */
  mayRead: boolean;
}

/** The scope of {@linkcode RoomConsumer}. */
export type RoomScope = Scope & LayerScope & StreamScope & { readonly parts: RoomParts };

/** A room that keeps its messages. */
export class RoomConsumer extends JsonConsumer<typeof roomMessages, RoomScope> {
  readonly messages = roomMessages;
  readonly handlers = handlers;

  override get streams() {
    return { room: { group: "chat.lobby", authorize: () => this.scope.parts.mayRead } };
  }
}

const handlers: HandlersOf<RoomConsumer> = {
  async say({ text }) {
    this.scope.parts.ran.say++;
    const reply = { id: crypto.randomUUID() };
    await this.append("room", { type: "said", data: { text } }, { reply });
    await this.scope.parts.finish();
    return reply;
  },
  async count() {
    const count = ++this.scope.parts.ran.count;
    await this.scope.parts.finish();
    return count;
  },
};

/** Creates what the consumers of a test share. */
export function roomParts(parts: Partial<RoomParts> = {}): RoomParts {
  return {
    store: new MemoryStreamStore(),
    layer: new MemoryChannelLayer(),
    ran: { say: 0, count: 0 },
    finish: () => {},
    mayRead: true,
    ...parts,
  };
}

/** Returns a peer of a room that has not connected yet. */
export function roomPeer(
  parts: RoomParts,
  user = "ada",
  path = "/ws/chat/lobby",
  options: { readonly log?: Log } = {},
): Communicator {
  const { store: streamStore, layer } = parts;
  const scope = { streamStore, layers: { default: layer }, user: { id: user }, parts };
  return communicate(RoomConsumer, { path, scope, subprotocols: ["sluice.v1"], ...options });
}

/** Returns a peer that has entered the room, and the `stream` frame that it received. */
export async function entered(
  parts: RoomParts,
  user?: string,
  path?: string,
  options?: { readonly log?: Log },
) {
  const peer = roomPeer(parts, user, path, options);
  assert.equal((await peer.connect()).accepted, true);
  // deno-lint-ignore no-explicit-any
  const stream = await peer.receiveJson() as any;
  assert.equal(stream.type, "stream");
  return { peer, stream: stream.data };
}

/** Sends a frame with an id, and returns the reply and the frames before it. */
export async function ask(peer: Communicator, frame: Record<string, unknown>) {
  peer.sendJson({ id: "1", ...frame });
  const before: unknown[] = [];
  while (true) {
    // deno-lint-ignore no-explicit-any
    const received = await peer.receiveJson() as any;
    if (received.type === "reply") return { ...received, before };
    before.push(received);
  }
}
