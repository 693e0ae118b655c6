import { encodeMessage, type Messages } from "../protocol/mod.ts";
import type { LayerMessage } from "../scope.ts";

const encoded = new WeakMap<LayerMessage, string>();

/** Writes a message of the layer as a frame: once, however many consumers it goes to. */
export function encodeOnce(message: LayerMessage): string {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const text = encodeMessage(message.type, message.data);
  encoded.set(message, text);
  return text;
}

/** What a consumer speaks, and which messages of the layer it handles itself. */
interface Speaker {
  readonly messages: Messages;
  readonly events?: object | undefined;
}

/** Writes a message of the layer that goes to clients as it is; `undefined` for one that does not. */
type Passing = (message: LayerMessage) => string | undefined;

const passing = new WeakMap<Messages, { readonly events: object | undefined; passes: Passing }>();

/** Returns what writes the messages of the layer that go to the clients of such consumers as they are. */
export function passingOf({ messages, events }: Speaker): Passing {
  const known = passing.get(messages);
  if (known !== undefined && known.events === events) return known.passes;
  const passes = createPassing(messages, events);
  passing.set(messages, { events, passes });
  return passes;
}

function createPassing({ server }: Messages, events: object | undefined): Passing {
  // The members of a group ask for the same message one after the other.
  let last: LayerMessage | undefined;
  let text: string | undefined;
  return (message) => {
    if (message === last) return text;
    const { type } = message;
    const isOwn = events !== undefined && Object.hasOwn(events, type);
    text = !isOwn && Object.hasOwn(server, type) ? encodeOnce(message) : undefined;
    last = message;
    return text;
  };
}
