import type { Messages } from "../protocol/mod.ts";

/** What is looked at. */
interface Handling {
  readonly messages: Messages;
  readonly events?: object;
}

const checked = new WeakSet<object>();

/**
 * Checks, once for each class, that there is a handler for each message that consumers send each
 * other: that one is missing shows at the first connection, not at the first such message.
 *
 * The compiler knows which handlers a table lacks, but not that a class has no table at all.
 *
 * @throws {TypeError} One is missing.
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
