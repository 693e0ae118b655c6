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

/** Returns whether a request asks for a WebSocket, perhaps among other protocols (RFC 9110 §7.8). */
export function isUpgrade(request: Request): boolean {
  return hasToken(request.headers.get("upgrade"), "websocket");
}

/** Returns what is wrong with the handshake of an upgrade (RFC 6455 §4.2.1), if anything is. */
export function handshakeError(request: Request): Refusal | undefined {
  const { headers } = request;
  if (request.method !== "GET" || !hasToken(headers.get("connection"), "upgrade")) {
    return Refusal.of("BAD_HANDSHAKE");
  }
  if (headers.get("sec-websocket-version") !== "13") return Refusal.of("UPGRADE_REQUIRED");
  const isKey = /^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "");
  return isKey ? undefined : Refusal.of("BAD_HANDSHAKE");
}

/** Returns whether a list has a token, in any case. */
function hasToken(list: string | null, token: string): boolean {
  if (list === null) return false;
  const text = list.toLowerCase();
  return text === token || text.split(",").some((element) => element.trim() === token);
}
