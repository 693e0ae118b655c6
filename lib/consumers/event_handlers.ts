import type { Messages } from "../protocol/mod.ts";

/** The parts of a consumer that are checked. */
interface Handling {
  readonly messages: Messages;
  readonly events?: object;
  readonly streams: object;
}

const checked = new WeakSet<object>();

/**
 * Checks once per class that each message between consumers has a handler, and that each stream which a
 * message appends to is declared. A mistake thus shows at the first connection, not at the first message.
 *
 * The compiler finds handlers missing from a table, but not a class without a table.
 *
 * @throws {TypeError} A handler or a stream is missing.
 */
export function assertEventHandlers(consumer: Handling): void {
  if (checked.has(consumer.constructor)) return;
  for (const type of Object.keys(consumer.messages.layer ?? {})) {
    if (Object.hasOwn(consumer.events ?? {}, type)) continue;
    throw new TypeError(
      `Cannot serve with ${consumer.constructor.name}: its events lack a handler for "${type}"`,
    );
  }
  for (const [type, { appends }] of Object.entries(consumer.messages.client)) {
    if (appends === undefined || Object.hasOwn(consumer.streams, appends)) continue;
    throw new TypeError(
      `Cannot serve with ${consumer.constructor.name}: "${type}" appends to "${appends}", which is ` +
        "not one of its streams",
    );
  }
  checked.add(consumer.constructor);
}
