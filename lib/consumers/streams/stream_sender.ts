import type { LayerMessage } from "../../core/consumer.ts";
import type { ChannelLayer } from "../../layers/channel_layer.ts";
import type { Messages } from "../../protocol/messages.ts";
import type { Appended, AppendOptions, StreamStore } from "../../streams/stream_store.ts";
import type { ServerMessage } from "../json_messages.ts";
import { appendAndSend } from "./consumer_streams.ts";

/**
 * Appends declared messages to streams from code outside a consumer: a route, a job, a script. Returns a
 * typed sender.
 *
 * @example
 * ```ts
 * import { defineMessages, MemoryChannelLayer, unchecked } from "@sluice/sluice";
 * import { streamSender } from "@sluice/sluice/consumers";
 * import { MemoryStreamStore } from "@sluice/sluice/streams";
 * import assert from "node:assert/strict";
 *
 * const messages = defineMessages({ client: {}, server: { said: unchecked<{ text: string }>() } });
 * const [store, layer] = [new MemoryStreamStore(), new MemoryChannelLayer()];
 * const sender = streamSender({ store, layer, messages });
 * const stream = { name: "room", group: "chat.lobby" };
 * const { offset } = await sender.append(stream, { type: "said", data: { text: "Hello" } });
 * assert.equal(offset, 1);
 * ```
 */
export function streamSender<M extends Messages>(
  { store, layer, messages }: {
    readonly store: StreamStore;
    readonly layer: ChannelLayer;
    readonly messages: M;
  },
): {
  /**
   * Stores a message in a stream, then sends it to the group. Resolves once it is stored.
   *
   * @param stream The name of the stream for clients, and its group.
   * @throws {TypeError} The type is not declared, or as `StreamStore.append()`.
   * @throws {StreamError} As `StreamStore.append()`.
   */
  append(
    stream: { readonly name: string; readonly group: string },
    message: ServerMessage<M>,
    options?: AppendOptions,
  ): Promise<Appended>;
} {
  return {
    async append(stream, message, options = {}) {
      const { type } = message;
      if (!Object.hasOwn(messages.server, type)) {
        throw new TypeError(`Cannot append "${type}": it is not declared under "server"`);
      }
      return await appendAndSend({ store, layer }, stream, message as LayerMessage, options);
    },
  };
}
