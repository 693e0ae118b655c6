import { parseCookies } from "../core/request_values.ts";
import { SUBPROTOCOL } from "../protocol/limits.ts";
import type { Connection } from "../core/connection.ts";
import type { Scope } from "../core/scope.ts";
import { type Offer, parseOffer, plainTicket } from "./handshake.ts";
import { KeptHeaders } from "./kept_headers.ts";
import type { Peer } from "./peer.ts";

/** Those of an event stream, which has the frames of a socket. */
const EVENT_STREAM_SUBPROTOCOLS: readonly string[] = [SUBPROTOCOL];

/**
 * The scope of a request. Costly properties are computed on first access. Those that an open
 * connection seldom needs are released and recomputed on demand.
 */
export class RequestScope implements Scope {
  readonly type: "websocket" | "http";
  readonly id: string;
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
    this.id = connection.id;
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
    this.#values = keep.map((name) => headers.get(name));
    this.#headers = undefined;
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
