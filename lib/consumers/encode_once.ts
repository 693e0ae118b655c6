import type { Messages } from "../protocol/mod.ts";
import { encodeMessage } from "../protocol/frames.ts";
import type { LayerMessage } from "../core/consumer.ts";

/** The type of the frame with the extent of a stream. */
export const STREAM_TYPE = "stream";

const encoded = new WeakMap<LayerMessage, string>();

/** Encodes a layer message as a frame, once for all consumers. */
export function encodeOnce(message: LayerMessage): string {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const text = encodeMessage(message.type, message.data, message.mark);
  encoded.set(message, text);
  return text;
}

/** The messages of a consumer and the layer messages that it handles itself. */
interface Speaker {
  readonly messages: Messages;
  readonly events?: object | undefined;
}

/** Returns the frame of a layer message that is forwarded to clients; otherwise `undefined`. */
type Passing = (message: LayerMessage) => string | undefined;

const passing = new WeakMap<Messages, { readonly events: object | undefined; passes: Passing }>();

/** Returns the forwarding function for the consumers of one class. */
export function passingOf({ messages, events }: Speaker): Passing {
  const known = passing.get(messages);
  if (known !== undefined && known.events === events) return known.passes;
  const passes = createPassing(messages, events);
  passing.set(messages, { events, passes });
  return passes;
}

function createPassing({ server }: Messages, events: object | undefined): Passing {
  // The members of a group encode the same message one after another.
  let last: LayerMessage | undefined;
  let text: string | undefined;
  return (message) => {
    if (message === last) return text;
    const { type } = message;
    const isOwn = events !== undefined && Object.hasOwn(events, type);
    const isForClients = Object.hasOwn(server, type) || type === STREAM_TYPE;
    text = !isOwn && isForClients ? encodeOnce(message) : undefined;
    last = message;
    return text;
  };
}
