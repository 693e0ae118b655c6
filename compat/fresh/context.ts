import { type FunctionComponent, isValidElement, type VNode } from "preact";
import type { ResolvedFreshConfig } from "./config.ts";
import { HttpError, StandInError } from "./error.ts";
import type { LayoutConfig } from "./layout_config.ts";

/** Options of `Deno.upgradeWebSocket()`. */
export interface WebSocketUpgradeOptions {
  /** Seconds without an answer after which the connection ends. */
  idleTimeout?: number;
  /** The subprotocol to select. */
  protocol?: string;
}

/** Renders a page inside its layouts and the app wrapper. */
export type RenderPage = <State>(
  ctx: Context<State>,
  page: VNode | null,
  init: ResponseInit,
  config: LayoutConfig,
) => Promise<Response>;

/** The data to create a context. */
export interface ContextInit {
  req: Request;
  url: URL;
  info: Deno.ServeHandlerInfo;
  route: string | null;
  params: Record<string, string>;
  config: ResolvedFreshConfig;
  next: () => Promise<Response>;
  renderPage: RenderPage;
}

const PARTIAL_PARAM = "fresh-partial";

/** The data about one request, and methods to answer it. */
export class Context<State> {
  /** The app's settings. */
  readonly config: ResolvedFreshConfig;
  /** The requested URL, with repeated slashes removed. */
  readonly url: URL;
  /** The request itself. */
  req: Request;
  /** The pattern that matched, or `null`. */
  readonly route: string | null;
  /** Values of the pattern's parameters. */
  readonly params: Record<string, string>;
  /** State that middlewares set. */
  readonly state: State = {} as State;
  /** Data for an `async` app wrapper; unset otherwise. */
  data: unknown = undefined;
  /** The thrown error, while an error page is rendered. */
  error: unknown = null;
  /** Addresses of both ends of the connection. */
  readonly info: Deno.ServeHandlerInfo;
  /** Whether only parts of the page were requested. */
  readonly isPartial: boolean;
  /** The content of a layout or app wrapper. */
  Component!: FunctionComponent;
  /** Passes the request on and resolves to the response. */
  next: () => Promise<Response>;
  readonly #renderPage: RenderPage;

  /** The app creates one context per request. */
  constructor(init: ContextInit) {
    this.req = init.req;
    this.url = init.url;
    this.info = init.info;
    this.route = init.route;
    this.params = init.params;
    this.config = init.config;
    this.next = init.next;
    this.#renderPage = init.renderPage;
    this.isPartial = init.url.searchParams.has(PARTIAL_PARAM);
  }

  /** Redirects. A path stays on this site, even with several leading slashes. */
  redirect(pathOrUrl: string, status = 302): Response {
    let location = pathOrUrl;
    if (location.startsWith("/")) {
      const [, path, rest] = /^([^?#]*)(.*)$/s.exec(location)!;
      location = path.replaceAll(/\/+/g, "/") + rest;
    }
    if (this.isPartial) location = withPartialParam(location);
    return new Response(null, { status, headers: { location } });
  }

  /** Renders JSX inside the layouts and the app wrapper of this route. */
  // The element can be of any component.
  // deno-lint-ignore no-explicit-any
  render(vnode: VNode<any> | null, init: ResponseInit = {}, config: LayoutConfig = {}) {
    if (arguments.length === 0) {
      return Promise.reject(new Error("ctx.render() needs JSX to render, or null"));
    }
    if (vnode !== null && !isValidElement(vnode)) {
      return Promise.reject(new Error("ctx.render() accepts only JSX or null"));
    }
    return this.#renderPage(this, vnode, init, config);
  }

  /** Answers with plain text. */
  text(content: string, init?: ResponseInit): Response {
    return new Response(content, init);
  }

  /** Answers with HTML. */
  html(content: string, init?: ResponseInit): Response {
    const headers = new Headers(init?.headers);
    headers.set("Content-Type", "text/html; charset=utf-8");
    return new Response(content, { ...init, headers });
  }

  /** Answers with JSON. */
  json(content: unknown, init?: ResponseInit): Response {
    return Response.json(content, init);
  }

  /** Streams the chunks of an iterable; text is encoded as UTF-8. */
  stream<Piece extends string | Uint8Array>(
    source:
      | Iterable<Piece>
      | AsyncIterable<Piece>
      | (() => Iterable<Piece> | AsyncIterable<Piece>),
    init?: ResponseInit,
  ): Response {
    const encoder = new TextEncoder();
    const encode = new TransformStream<Piece, Uint8Array<ArrayBuffer>>({
      transform: (piece, controller) =>
        controller.enqueue(
          piece instanceof Uint8Array
            ? piece as Uint8Array as Uint8Array<ArrayBuffer>
            : encoder.encode(String(piece)),
        ),
    });
    const pieces = typeof source === "function" ? source() : source;
    return new Response(ReadableStream.from(pieces).pipeThrough(encode), init);
  }

  /**
   * Opens a WebSocket. The caller handles its events and returns `response`.
   *
   * @throws {StandInError} Handlers are given: only upstream Fresh calls them.
   */
  upgrade(options?: WebSocketUpgradeOptions): { socket: WebSocket; response: Response } {
    if (hasHandler(options)) throw new StandInError("ctx.upgrade() with handlers");
    if (this.req.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw new HttpError(400, "Expected a WebSocket upgrade request");
    }
    return Deno.upgradeWebSocket(this.req, options);
  }
}

function withPartialParam(location: string): string {
  const [, address, hash] = /^([^#]*)(.*)$/s.exec(location)!;
  return `${address}${address.includes("?") ? "&" : "?"}${PARTIAL_PARAM}=true${hash}`;
}

function hasHandler(options: object = {}): boolean {
  return Object.values(options).some((value) => typeof value === "function");
}
