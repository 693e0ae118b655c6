import { FrameError, type Messages } from "../../protocol/mod.ts";
import type { ClientFrame } from "../../protocol/frames.ts";
import { parseData } from "../../protocol/schema.ts";

type AnyHandler = (data: unknown, context: Pick<ClientFrame, "id" | "key">) => unknown;

/**
 * Returns the declaration of a type that clients send.
 *
 * @throws {FrameError} `UNKNOWN_TYPE`
 */
export function declarationOf({ client }: Messages, type: string): Messages["client"][string] {
  if (Object.hasOwn(client, type)) return client[type]!;
  throw new FrameError("UNKNOWN_TYPE", "Messages of this type are not accepted here");
}

/** Checks the data of a frame, and runs its handler. */
export function runHandler(
  consumer: { readonly messages: Messages; readonly handlers: object },
  { type, data, id, key }: ClientFrame,
): unknown {
  const handler = (consumer.handlers as Record<string, AnyHandler>)[type]!;
  const checked = parseData(declarationOf(consumer.messages, type).data, data, id);
  if (!(checked instanceof Promise)) return handler.call(consumer, checked, { id, key });
  return checked.then((value) => handler.call(consumer, value, { id, key }));
}
