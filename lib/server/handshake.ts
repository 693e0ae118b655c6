import { Refusal, SUBPROTOCOL, TICKET_PREFIX } from "../protocol/mod.ts";

/** What a client offered in `Sec-WebSocket-Protocol`. */
export interface Offer {
  readonly subprotocols: readonly string[];
  readonly ticket: string | undefined;
}

const NOTHING: Offer = { subprotocols: [], ticket: undefined };
const OURS: Offer = { subprotocols: [SUBPROTOCOL], ticket: undefined };
const MAX_OFFER_LENGTH = 8192;
const TOKEN = /^[!#$%&'*+\-.^_`|~\da-zA-Z]+$/;

/**
 * Reads the subprotocols that a client offers (RFC 6455 §4.1), with or without spaces between them,
 * and takes a ticket out of them. What is no token is left out.
 */
export function parseOffer(header: string | null): Offer {
  if (header === null || header.length > MAX_OFFER_LENGTH) return NOTHING;
  if (header === SUBPROTOCOL) return OURS; // As our own client has it, with a cookie.
  const names = header.split(",").map((name) => name.trim()).filter((name) => TOKEN.test(name));
  const ticket = names.find((name) => name.startsWith(TICKET_PREFIX));
  return {
    subprotocols: names.filter((name) => !name.startsWith(TICKET_PREFIX)),
    ticket: ticket?.slice(TICKET_PREFIX.length),
  };
}

/** Returns whether a request asks for a WebSocket. */
export function isUpgrade(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

/** Returns what is wrong with the handshake of an upgrade (RFC 6455 §4.2.1), if anything is. */
export function handshakeError(request: Request): Refusal | undefined {
  const { headers } = request;
  if (request.method !== "GET" || !wantsUpgrade(headers.get("connection"))) {
    return Refusal.of("BAD_HANDSHAKE");
  }
  if (headers.get("sec-websocket-version") !== "13") return Refusal.of("UPGRADE_REQUIRED");
  const isKey = /^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "");
  return isKey ? undefined : Refusal.of("BAD_HANDSHAKE");
}

/** Whether a `Connection` header has the option `upgrade` among others. */
function wantsUpgrade(connection: string | null): boolean {
  if (connection === "Upgrade") return true; // As nearly everybody writes it.
  const options = connection?.toLowerCase().split(",").map((option) => option.trim());
  return options?.includes("upgrade") === true;
}
