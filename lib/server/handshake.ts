import { Refusal } from "../protocol/mod.ts";
import { SUBPROTOCOL, TICKET_PREFIX } from "../protocol/limits.ts";

/** The contents of a `Sec-WebSocket-Protocol` header. */
export interface Offer {
  readonly subprotocols: readonly string[];
  readonly ticket: string | undefined;
}

const NOTHING: Offer = { subprotocols: [], ticket: undefined };
const OURS: Offer = { subprotocols: [SUBPROTOCOL], ticket: undefined };
const MAX_OFFER_LENGTH = 8192;
const TOKEN = /^[!#$%&'*+\-.^_`|~\da-zA-Z]+$/;

/**
 * Parses the subprotocols that a client offers (RFC 6455 §4.1), with or without spaces between them,
 * and extracts the ticket. Invalid tokens are skipped.
 */
export function parseOffer(header: string | null): Offer {
  if (header === null || header.length > MAX_OFFER_LENGTH) return NOTHING;
  if (header === SUBPROTOCOL) return OURS; // The common case: our client with a cookie.
  const names = header.split(",").map((name) => name.trim()).filter((name) => TOKEN.test(name));
  const ticket = names.find((name) => name.startsWith(TICKET_PREFIX));
  return {
    subprotocols: names.filter((name) => !name.startsWith(TICKET_PREFIX)),
    ticket: ticket?.slice(TICKET_PREFIX.length),
  };
}

/** Returns the ticket of a plain request, where scripts cannot offer subprotocols. */
export function plainTicket(headers: Headers): string | undefined {
  return /^Ticket ([\w.-]{1,4096})$/i.exec(headers.get("authorization") ?? "")?.[1];
}

/** Returns whether a request asks for a WebSocket, possibly among other protocols (RFC 9110 §7.8). */
export function isUpgrade(request: Request): boolean {
  return hasToken(request.headers.get("upgrade"), "websocket");
}

/**
 * Whether a request asks for an event stream: the messages of a socket as server-sent events, for
 * clients behind proxies that break WebSockets.
 */
export function wantsEventStream(
  { method, headers }: { readonly method: string; readonly headers: Headers },
): boolean {
  if (method !== "POST") return false;
  return /(?:^|,)\s*text\/event-stream\s*(?:;|,|$)/i.test(headers.get("accept") ?? "");
}

/** Returns the refusal of an invalid WebSocket handshake (RFC 6455 §4.2.1), or `undefined`. */
export function handshakeError(request: Request): Refusal | undefined {
  const { headers } = request;
  if (request.method !== "GET" || !hasToken(headers.get("connection"), "upgrade")) {
    return Refusal.of("BAD_HANDSHAKE");
  }
  if (headers.get("sec-websocket-version") !== "13") return Refusal.of("UPGRADE_REQUIRED");
  const isKey = /^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "");
  return isKey ? undefined : Refusal.of("BAD_HANDSHAKE");
}

/** Returns whether a comma-separated list contains a token, ignoring case. */
function hasToken(list: string | null, token: string): boolean {
  if (list === null) return false;
  const text = list.toLowerCase();
  return text === token || text.split(",").some((element) => element.trim() === token);
}
