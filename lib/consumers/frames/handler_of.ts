import { FrameError, type Messages } from "../../protocol/mod.ts";
import type { ClientFrame } from "../../protocol/frames.ts";
import { parseData } from "../../protocol/schema.ts";

type AnyHandler = (data: unknown, context: Pick<ClientFrame, "id" | "key">) => unknown;

/**
 * Returns what checks the data of a frame and runs its handler, and the stream to which it appends.
 *
 * @throws {FrameError} `UNKNOWN_TYPE`
 */
export function handlerOf(
  consumer: { readonly messages: Messages; readonly handlers: object },
  { type, data, id, key }: ClientFrame,
): { readonly appends: string | undefined; run(): unknown } {
  const { client } = consumer.messages;
  if (!Object.hasOwn(client, type)) {
    throw new FrameError("UNKNOWN_TYPE", "Messages of this type are not accepted here");
  }
  const { data: schema, appends } = client[type]!;
  const handler = (consumer.handlers as Record<string, AnyHandler>)[type]!;
  const call = (value: unknown) => handler.call(consumer, value, { id, key });
  return {
    appends,
    run() {
      const checked = parseData(schema, data, id);
      return checked instanceof Promise ? checked.then(call) : call(checked);
    },
  };
}
