import type { LayerMessage } from "../scope.ts";

/**
 * Returns a frozen copy of a message, so that neither its sender nor a reader can change what another
 * reader sees.
 *
 * @throws {TypeError} The message holds what cannot be cloned, such as a function.
 */
export function isolate(message: LayerMessage): LayerMessage {
  if (typeof message?.type !== "string" || message.type === "") {
    throw new TypeError("Cannot send a message without a type");
  }
  try {
    return freeze(structuredClone(message));
  } catch (error) {
    throw new TypeError(`Cannot send the message "${message.type}": it is not plain data`, {
      cause: error,
    });
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const key of Object.keys(value)) freeze((value as Record<string, unknown>)[key]);
  return Object.freeze(value);
}
