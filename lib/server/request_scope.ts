import { parseCookies } from "../protocol/mod.ts";
import type { Connection, Scope } from "../scope.ts";
import { type Offer, parseOffer } from "./handshake.ts";
import type { Peer } from "./peer.ts";

/**
 * The scope of a request. What costs something to find is found when it is first asked for, and most
 * of what an open connection seldom needs is let go of, and found again.
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
  /** The headers as lines, once the request is answered. */
  #lines = "";
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
    this.body = type === "http" ? request.body ?? undefined : undefined;
    this.connection = connection;
  }

  /**
   * Keeps the headers, as the request's own cannot be read any more once it is answered, and lets go of
   * what was found in them.
   */
  settle(): void {
    this.#lines = Array.from(this.headers, ([name, value]) => `${name}: ${value}`).join("\n");
    this.#headers =
      this.#url =
      this.#cookies =
      this.#offer =
        undefined;
  }

  get url(): URL {
    return this.#url ??= new URL(this.#href);
  }

  get headers(): Headers {
    return this.#headers ??= parseLines(this.#lines);
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

function parseLines(lines: string): Headers {
  const headers = new Headers();
  for (const line of lines.split("\n")) {
    const at = line.indexOf(": ");
    if (at > 0) headers.append(line.slice(0, at), line.slice(at + 2));
  }
  return headers;
}
