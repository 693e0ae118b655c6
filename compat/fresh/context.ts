import { type FunctionComponent, isValidElement, type VNode } from "preact";
import type { ResolvedFreshConfig } from "./config.ts";
import { HttpError } from "./error.ts";
import { renderPage } from "./render/page.ts";
import type { LayoutConfig } from "./types.ts";

/** Callbacks of a WebSocket that was opened with `ctx.upgrade(handlers)`. */
export interface WebSocketHandlers {
  open?(socket: WebSocket): void;
  message?(socket: WebSocket, event: MessageEvent): void;
  close?(socket: WebSocket, code: number, reason: string): void;
  error?(socket: WebSocket, event: Event | ErrorEvent): void;
}

/** Options of `Deno.upgradeWebSocket()`. */
export interface WebSocketUpgradeOptions {
  /** Seconds without an answer after which the connection ends. */
  idleTimeout?: number;
  /** The subprotocol to select. */
  protocol?: string;
}

/** Another name of {@linkcode Context}. @deprecated */
export type FreshContext<State = unknown> = Context<State>;

/** What a context is made from. */
export interface ContextInit {
  req: Request;
  url: URL;
  info: Deno.ServeHandlerInfo;
  route: string | null;
  params: Record<string, string>;
  config: ResolvedFreshConfig;
  next: () => Promise<Response>;
}

const PARTIAL_PARAM = "fresh-partial";

/** Everything known about one request, and the ways to answer it. */
export class Context<State> {
  /** The app's settings. */
  readonly config: ResolvedFreshConfig;
  /** The address asked for, with repeated slashes removed. */
  readonly url: URL;
  /** The request itself. */
  req: Request;
  /** The pattern that matched, or `null`. */
  readonly route: string | null;
  /** Values of the pattern's parameters. */
  readonly params: Record<string, string>;
  /** Room for what middlewares find out. */
  readonly state: State = {} as State;
  /** Data for an `async` app wrapper; unset otherwise. */
  data: unknown = undefined;
  /** What was thrown below, where an error page is being rendered. */
  error: unknown = null;
  /** Addresses of both ends of the connection. */
  readonly info: Deno.ServeHandlerInfo;
  /** Whether only parts of the page were asked for. */
  readonly isPartial: boolean;
  /** What a layout or app wrapper surrounds. */
  Component!: FunctionComponent;
  /** Hands the request on and resolves to the answer. */
  next: () => Promise<Response>;

  /** Made by the app, once per request. */
  constructor(init: ContextInit) {
    this.req = init.req;
    this.url = init.url;
    this.info = init.info;
    this.route = init.route;
    this.params = init.params;
    this.config = init.config;
    this.next = init.next;
    this.isPartial = init.url.searchParams.has(PARTIAL_PARAM);
  }

  /** Redirects; a path stays on this site, however many slashes it begins with. */
  redirect(pathOrUrl: string, status = 302): Response {
    let location = pathOrUrl;
    if (location.startsWith("/")) {
      const [, path, rest] = /^([^?#]*)(.*)$/s.exec(location)!;
      location = path.replaceAll(/\/+/g, "/") + rest;
    }
    if (this.isPartial) location = withPartialParam(location);
    return new Response(null, { status, headers: { location } });
  }

  /** Renders JSX inside the layouts and the app wrapper that apply here. */
  // An element of any component can be rendered.
  // deno-lint-ignore no-explicit-any
  render(vnode: VNode<any> | null, init: ResponseInit = {}, config: LayoutConfig = {}) {
    if (arguments.length === 0) {
      return Promise.reject(new Error("ctx.render() needs JSX to render, or null"));
    }
    if (vnode !== null && !isValidElement(vnode)) {
      return Promise.reject(new Error("ctx.render() takes JSX or null, and got something else"));
    }
    return renderPage(this, vnode, init, config);
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

  /** Answers with the pieces of an iterable as they come; text is encoded as UTF-8. */
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

  /** Opens a WebSocket and leaves its events to the caller, who returns `response`. */
  upgrade(options?: WebSocketUpgradeOptions): { socket: WebSocket; response: Response };
  /** Opens a WebSocket whose events go to `handlers`. */
  upgrade(handlers: WebSocketHandlers, options?: WebSocketUpgradeOptions): Response;
  upgrade(
    first?: WebSocketHandlers | WebSocketUpgradeOptions,
    second?: WebSocketUpgradeOptions,
  ): { socket: WebSocket; response: Response } | Response {
    if (this.req.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      throw new HttpError(400, "Expected a WebSocket upgrade request");
    }
    const handlers = hasHandler(first) ? first : undefined;
    const options = handlers ? second : first as WebSocketUpgradeOptions | undefined;
    const { socket, response } = Deno.upgradeWebSocket(this.req, options);
    if (handlers === undefined) return { socket, response };
    attach(socket, handlers);
    return response;
  }
}

function withPartialParam(location: string): string {
  const [, address, hash] = /^([^#]*)(.*)$/s.exec(location)!;
  return `${address}${address.includes("?") ? "&" : "?"}${PARTIAL_PARAM}=true${hash}`;
}

function hasHandler(value: object | undefined): value is WebSocketHandlers {
  const { open, message, close, error } = (value ?? {}) as WebSocketHandlers;
  return [open, message, close, error].some((handler) => typeof handler === "function");
}

function attach(socket: WebSocket, handlers: WebSocketHandlers): void {
  socket.addEventListener("open", () => handlers.open?.(socket));
  socket.addEventListener("message", (event) => handlers.message?.(socket, event));
  socket.addEventListener("close", (event) => handlers.close?.(socket, event.code, event.reason));
  socket.addEventListener("error", (event) => handlers.error?.(socket, event));
}
