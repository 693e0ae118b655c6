/**
 * A stand-in for `@fresh/core` 2.3.3 on machines that cannot reach JSR.
 *
 * It implements the documented behaviour of its exports, and throws a clear error for the
 * rest. An application written against Fresh's documentation runs unchanged on both.
 *
 * @module
 */
export { App, type ListenOptions } from "./app.ts";
export type { FreshConfig, ResolvedFreshConfig } from "./config.ts";
export type { Context, WebSocketUpgradeOptions } from "./context.ts";
export { createDefine, type Define } from "./define.ts";
export { HttpError } from "./error.ts";
export {
  type HandlerByMethod,
  type HandlerFn,
  page,
  type PageResponse,
  type RouteData,
  type RouteHandler,
} from "./handlers.ts";
export { csp, type CSPOptions } from "./middlewares/csp.ts";
export { cors, csrf, ipFilter, trailingSlashes } from "./middlewares/missing.ts";
export { staticFiles } from "./middlewares/static_files.ts";
export type { Middleware } from "./routing/chain.ts";
export type { Method } from "./routing/route_table.ts";
export type { LayoutConfig } from "./layout_config.ts";
export type { Lazy, MaybeLazy, PageProps, RouteConfig } from "./types.ts";
export type { Island } from "./build/snapshot.ts";
