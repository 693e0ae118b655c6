import { parseCookies } from "../core/request_values.ts";
import { SUBPROTOCOL, TICKET_PREFIX } from "../protocol/limits.ts";
import { Refusal } from "../protocol/mod.ts";
import type { Connection, ConnectionEnd } from "../core/connection.ts";
import type { Scope } from "../core/scope.ts";
import type { Transport } from "../core/transport.ts";
import type { ServerConnection } from "./connection/server_connection.ts";
import { KeptHeaders } from "./kept_headers.ts";
import type { Peer } from "./peer.ts";
import { refusalOfEnd } from "./refusals.ts";

/** Those of an event stream, which has the frames of a socket. */
const EVENT_STREAM_SUBPROTOCOLS: readonly string[] = [SUBPROTOCOL];

/** Headers of which most clients send one of few values; none holds a credential. */
const COMMON_HEADERS: readonly string[] = ["accept-language", "host", "origin", "user-agent"];

/** The latest value of each common header. */
const latest = new Map<string, string>([["sec-websocket-protocol", SUBPROTOCOL]]);

/** Returns the value of a header: the same string for clients in a row that send the same. */
function shared(name: string, value: string | null): string | null {
  if (value === null) return null;
  const known = latest.get(name);
  if (known === value) return known;
  if (COMMON_HEADERS.includes(name)) latest.set(name, value);
  return value;
}

/**
 * The scope of a request. Costly properties are computed on first access. Those that an open
 * connection seldom needs are released and recomputed on demand.
 */
export class RequestScope implements Scope {
  readonly type: "websocket" | "http";
  readonly method: string;
  readonly path: string;
  readonly address: string;
  readonly body: ReadableStream<Uint8Array> | undefined;
  readonly connection: Connection;
  params: Readonly<Record<string, string | number>> = {};
  pathRemaining: string;
  readonly #href: string;
  #url: URL | undefined;
  #headers: Headers | undefined;
  /** Names and values of the headers that are kept after the response. */
  #kept: readonly string[] = [];
  #values: readonly (string | null)[] = [];
  #cookies: ReadonlyMap<string, string> | undefined;
  #offer: Offer | undefined;

  constructor(request: Request, peer: Peer, connection: Connection, type: "websocket" | "http") {
    this.type = type;
    this.method = request.method;
    this.#href = peer.url.href;
    this.#url = peer.url;
    this.path = peer.url.pathname;
    this.pathRemaining = this.path;
    this.#headers = request.headers;
    this.address = peer.address;
    const hasBody = type === "http" || this.#isEventStream;
    this.body = hasBody ? request.body ?? undefined : undefined;
    this.connection = connection;
  }

  /**
   * Retains some headers or `all`, because the request's own become unreadable after the response, and
   * releases everything computed from them.
   */
  settle(keep: readonly string[] | "all"): void {
    const { headers } = this;
    this.#url = this.#cookies = this.#offer = undefined;
    if (keep === "all") {
      this.#headers = new Headers(headers);
      return;
    }
    this.#kept = keep;
    this.#values = keep.map((name) => shared(name, headers.get(name)));
    this.#headers = undefined;
  }

  get id(): string {
    return this.connection.id;
  }

  get url(): URL {
    return this.#url ??= new URL(this.#href);
  }

  get headers(): Headers {
    return this.#headers ??= new KeptHeaders(this.#kept, this.#values);
  }

  get query(): URLSearchParams {
    return this.url.searchParams;
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies ??= parseCookies(this.headers.get("cookie"));
  }

  get subprotocols(): readonly string[] {
    return this.#isEventStream ? EVENT_STREAM_SUBPROTOCOLS : this.#offered.subprotocols;
  }

  get ticket(): string | undefined {
    const isPlain = this.type === "http" || this.method === "POST";
    return this.#offered.ticket ?? (isPlain ? plainTicket(this.headers) : undefined);
  }

  /** Scripts cannot offer subprotocols in a plain request. */
  get #isEventStream(): boolean {
    return this.type === "websocket" && this.method === "POST";
  }

  get #offered(): Offer {
    return this.#offer ??= parseOffer(this.headers.get("sec-websocket-protocol"));
  }
}

/** A request with its scope and connection, until it is answered. */
export class Handshake {
  readonly request: Request;
  /** The transport of the server that received the request. */
  readonly transport: Transport | undefined;
  readonly scope: RequestScope;
  readonly connection: ServerConnection;
  /** Answers the request while the application is still deciding; `isAnswered` is then true. */
  answerEarly: ((refusal: Refusal) => void) | undefined;
  isAnswered = false;

  constructor(
    request: Request,
    transport: Transport | undefined,
    scope: RequestScope,
    connection: ServerConnection,
  ) {
    this.request = request;
    this.transport = transport;
    this.scope = scope;
    this.connection = connection;
  }

  /** Called when the connection ends. A started consumer settles the decision itself. */
  ended(end: ConnectionEnd): void {
    if (this.connection.hasConsumer || this.answerEarly === undefined) return;
    this.isAnswered = true;
    this.answerEarly(this.connection.refusal ?? refusalOfEnd(end.code));
  }
}

/** The contents of a `Sec-WebSocket-Protocol` header. */
interface Offer {
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
function parseOffer(header: string | null): Offer {
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
function plainTicket(headers: Headers): string | undefined {
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
