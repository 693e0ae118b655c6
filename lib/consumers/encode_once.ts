import { encodeMessage } from "../protocol/mod.ts";
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
