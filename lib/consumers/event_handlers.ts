import type { Messages } from "../protocol/mod.ts";

/** The parts of a consumer that are checked. */
interface Handling {
  readonly messages: Messages;
  readonly events?: object;
}

const checked = new WeakSet<object>();

/**
 * Checks once per class that each message between consumers has a handler. A missing one thus shows at
 * the first connection, not at the first message.
 *
 * The compiler finds handlers missing from a table, but not a class without a table.
 *
 * @throws {TypeError} A handler is missing.
 */
export function assertEventHandlers(consumer: Handling): void {
  if (checked.has(consumer.constructor)) return;
  for (const type of Object.keys(consumer.messages.layer ?? {})) {
    if (Object.hasOwn(consumer.events ?? {}, type)) continue;
    throw new TypeError(
      `Cannot serve with ${consumer.constructor.name}: its events lack a handler for "${type}"`,
    );
  }
  checked.add(consumer.constructor);
}
