import { SUBPROTOCOL, TICKET_PREFIX } from "../../protocol/limits.ts";
import type { ClientWebSocket } from "../environment.ts";
import type { LinkOptions } from "./link_options.ts";
import type { ReturnContext } from "./_return.ts";

/**
 * Opens a WebSocket: at once, or after a ticket was fetched.
 *
 * @throws The reason of `signal`, if it is aborted meanwhile.
 */
export function openWebSocket(
  { url, environment, ticket }: LinkOptions,
  signal: AbortSignal,
): ClientWebSocket | Promise<ClientWebSocket> {
  const open = (protocols: string[]) => {
    if (signal.aborted) throw signal.reason;
    return new environment.WebSocket(url, protocols);
  };
  if (!ticket) return open([SUBPROTOCOL]);
  return ticket().then((ticket) => open([SUBPROTOCOL, TICKET_PREFIX + ticket]));
}

/** Loads what opens a connection over plain HTTP, and opens one. */
export async function openHttp(
  options: LinkOptions,
  signal: AbortSignal,
  context: Pick<ReturnContext, "isIdle" | "moveBack">,
): Promise<ClientWebSocket> {
  const fallback = await import("./_fallback.ts");
  return fallback.openHttp(options, signal, context, openWebSocket);
}
