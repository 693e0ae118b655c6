import type { LayerMessage } from "../core/consumer.ts";
import { encodeMessage } from "../protocol/frames.ts";
import type { Messages } from "../protocol/mod.ts";

/** The type of the frame with the extent of a stream. */
export const STREAM_TYPE = "stream";

/** The messages of a consumer, its handlers for layer messages, and its streams. */
interface Handling {
  readonly messages: Messages;
  readonly events?: object | undefined;
  readonly streams: object;
}

/** Returns the frame of a layer message that is forwarded to clients; otherwise `undefined`. */
type Forwards = (message: LayerMessage) => string | undefined;

const known = new WeakMap<object, Omit<Handling, "streams"> & { readonly forwards: Forwards }>();

/**
 * Returns the function that forwards layer messages, one for all consumers of a class.
 *
 * @throws {TypeError} A message between consumers has no handler, or a message appends to a stream that
 * is not declared. The compiler finds handlers missing from a table, but not a class without a table;
 * this way it shows at the first connection.
 */
export function forwardsOf(consumer: Handling): Forwards {
  const { messages, events, constructor } = consumer;
  const before = known.get(constructor);
  if (before?.messages === messages && before.events === events) return before.forwards;
  assertHandlers(consumer);
  const forwards = createForwards(messages, events);
  known.set(constructor, { messages, events, forwards });
  return forwards;
}

function assertHandlers({ messages, events = {}, streams, constructor: { name } }: Handling): void {
  const unhandled = Object.keys(messages.layer ?? {}).find((type) => !Object.hasOwn(events, type));
  if (unhandled !== undefined) {
    throw new TypeError(`Cannot serve with ${name}: its events lack a handler for "${unhandled}"`);
  }
  for (const [type, { appends }] of Object.entries(messages.client)) {
    if (appends === undefined || Object.hasOwn(streams, appends)) continue;
    throw new TypeError(
      `Cannot serve with ${name}: "${type}" appends to "${appends}", which is not one of its streams`,
    );
  }
}

function createForwards({ server }: Messages, events: object = {}): Forwards {
  // The members of a group encode the same message one after another.
  let last: LayerMessage | undefined;
  let frame: string | undefined;
  return (message) => {
    if (message === last) return frame;
    const { type, data, mark } = message;
    const isForClients = Object.hasOwn(server, type) || type === STREAM_TYPE;
    const isForwarded = isForClients && !Object.hasOwn(events, type);
    frame = isForwarded ? encodeMessage(type, data, mark) : undefined;
    last = message;
    return frame;
  };
}
