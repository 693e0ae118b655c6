import type { ChannelLayer } from "../layers/mod.ts";
import type { GroupSendOptions, GroupSendResult } from "../layers/channel_layer.ts";
import type { Messages } from "../protocol/mod.ts";
import type { LayerEvent, ServerMessage } from "./json_messages.ts";

/**
 * Sends declared messages from code outside a consumer: a route, a job, a script. Returns a typed sender. A misspelt type does not compile,
 * and is rejected at run time before anything is sent.
 *
 * @example
 * ```ts
 * import { defineMessages, MemoryChannelLayer, unchecked } from "@sluice/sluice";
 * import { messageSender } from "@sluice/sluice/consumers";
 * import assert from "node:assert/strict";
 *
 * const messages = defineMessages({ client: {}, server: { said: unchecked<{ text: string }>() } });
 * const quiz = messageSender(new MemoryChannelLayer(), messages);
 * const { delivered } = await quiz.groupSend("quiz", { type: "said", data: { text: "Ready?" } });
 * assert.equal(delivered, 0);
 * ```
 */
export function messageSender<M extends Messages>(
  layer: ChannelLayer,
  messages: M,
): {
  /** Sends to every connection in a group. Rejects with a `TypeError` if the type is not declared. */
  groupSend(
    group: string,
    message: ServerMessage<M> | LayerEvent<M>,
    options?: GroupSendOptions,
  ): Promise<GroupSendResult>;
  /** Sends to one channel. Rejects with a `TypeError` if the type is not declared. */
  send(channel: string, message: ServerMessage<M> | LayerEvent<M>): Promise<void>;
} {
  const { server, layer: events = {} } = messages;
  const assertDeclared = ({ type }: { readonly type: string }) => {
    if (Object.hasOwn(server, type) || Object.hasOwn(events, type)) return;
    throw new TypeError(`Cannot send "${type}": it is not declared under "server" or "layer"`);
  };
  return {
    async groupSend(group, message, options) {
      assertDeclared(message);
      return await layer.groupSend(group, message, options);
    },
    async send(channel, message) {
      assertDeclared(message);
      await layer.send(channel, message);
    },
  };
}
