import type { ClientWebSocket } from "../environment.ts";
import { EventSocket } from "./_event_socket.ts";
import type { LinkOptions } from "./link_options.ts";
import { type ReturnContext, returnToWebSocket } from "./_return.ts";

/**
 * Opens a connection over plain HTTP, which lasts until a WebSocket works again or `signal` is aborted.
 *
 * Loaded on demand: only clients behind a proxy that breaks WebSockets need it.
 */
export function openHttp(
  options: LinkOptions,
  signal: AbortSignal,
  context: Pick<ReturnContext, "isIdle" | "moveBack">,
  openWebSocket: (
    options: LinkOptions,
    signal: AbortSignal,
  ) => ClientWebSocket | Promise<ClientWebSocket>,
): ClientWebSocket {
  if (signal.aborted) throw signal.reason;
  const { environment } = options;
  const open = async () => await openWebSocket(options, signal);
  const opened = () => returnToWebSocket({ ...context, environment, signal, open });
  return new EventSocket(options, opened);
}
