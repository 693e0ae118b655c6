import { CloseCode } from "../protocol/mod.ts";

/** A message-oriented socket of a runtime. {@linkcode SocketEvents} receives its events. */
export interface Socket {
  /** Bytes that were sent but not yet written to the network. */
  readonly bufferedAmount: number;
  /** Queues a message. */
  send(data: string | Uint8Array): void;
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
  /** Closes the network connection at once, if the runtime can. */
  terminate?(): void;
}

/** The events of a {@linkcode Socket}. The callbacks must not throw. */
export interface SocketEvents {
  /** The connection is open. */
  open(): void;
  /** A complete message has arrived. */
  message(data: string | Uint8Array): void;
  /** The network connection has closed; may be called more than once, or never. */
  close(code: number, reason: string): void;
}

/** How a {@linkcode Transport} upgrades a request. */
export interface UpgradeOptions {
  /** The selected subprotocol. */
  readonly subprotocol: string | undefined;
  /** Additional headers of the 101 response. */
  readonly headers: HeadersInit | undefined;
  /** Largest message, in bytes. A transport that can refuses larger ones before they are in memory. */
  readonly maxMessageBytes: number;
}

/**
 * Turns a request into a socket on one runtime.
 *
 * @internal
 */
export interface Transport {
  /** Throws a `TypeError` if the handshake of the request is invalid. */
  upgrade(
    request: Request,
    events: SocketEvents,
    options: UpgradeOptions,
  ): { response: Response; socket: Socket };
}

const CLIENT_FAULTS: ReadonlySet<number> = new Set([
  CloseCode.unsupportedData,
  CloseCode.messageTooLarge,
  CloseCode.tooManyInvalid,
  CloseCode.tooFast,
]);

/** Returns whether a client brings about this close by what it sends: more is likely to arrive. */
export function isClientFault(code: number): boolean {
  return CLIENT_FAULTS.has(code);
}
