import { parseCookies } from "../protocol/mod.ts";
import type { Connection, Scope } from "../scope.ts";
import { type Offer, parseOffer } from "./handshake.ts";
import type { Peer } from "./peer.ts";

/** The scope of a request. What costs something to find is found when it is first asked for. */
export class RequestScope implements Scope {
  readonly type: "websocket" | "http";
  readonly id: string;
  readonly method: string;
  readonly url: URL;
  readonly path: string;
  headers: Headers;
  readonly address: string;
  readonly body: ReadableStream<Uint8Array> | undefined;
  readonly connection: Connection;
  params: Readonly<Record<string, string | number>> = {};
  pathRemaining: string;
  #cookies: ReadonlyMap<string, string> | undefined;
  #offer: Offer | undefined;

  constructor(request: Request, peer: Peer, connection: Connection, type: "websocket" | "http") {
    this.type = type;
    this.id = connection.id;
    this.method = request.method;
    this.url = peer.url;
    this.path = peer.url.pathname;
    this.pathRemaining = this.path;
    this.headers = request.headers;
    this.address = peer.address;
    this.body = type === "http" ? request.body ?? undefined : undefined;
    this.connection = connection;
  }

  /** Copies the headers: the request's own cannot be read any more once it is answered. */
  keepHeaders(): void {
    this.headers = new Headers(this.headers);
  }

  get query(): URLSearchParams {
    return this.url.searchParams;
  }

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies ??= parseCookies(this.headers.get("cookie"));
  }

  get subprotocols(): readonly string[] {
    return this.#offered.subprotocols;
  }

  get ticket(): string | undefined {
    return this.#offered.ticket;
  }

  get #offered(): Offer {
    return this.#offer ??= parseOffer(this.headers.get("sec-websocket-protocol"));
  }
}
