import type { LayoutConfig } from "../layout_config.ts";
import type { MaybeLazy, Route, RouteComponent, RouteConfig } from "../types.ts";
import { type HandlerFn, isByMethod } from "../handlers.ts";
import { HttpError } from "../error.ts";
import type { MaybeLazyMiddleware, Middleware } from "./chain.ts";
import type { Method } from "./route_table.ts";
import type { RouteFile } from "../build/snapshot.ts";

interface Placed {
  /** The pattern of the registration. */
  pattern: string;
  /** Whether the last segment of the pattern is a folder. */
  whole: boolean;
}

/** A registration on an app. Registrations take effect in order. */
export type Step<State> =
  | { kind: "app"; component: RouteComponent<State> }
  | { kind: "notFound"; route: Route<State> }
  | Placed & { kind: "middleware"; links: MaybeLazyMiddleware<State>[] }
  | Placed & { kind: "layout"; component: RouteComponent<State>; config?: LayoutConfig }
  | Placed & { kind: "error"; route: Route<State> }
  | Placed & { kind: "route"; route: MaybeLazy<Route<State>>; config?: RouteConfig }
  | Placed & { kind: "handler"; methods: readonly Method[]; links: MaybeLazyMiddleware<State>[] }
  | Placed & { kind: "files"; load: () => RouteFile[] };

/** Converts a route or middleware to a route, and adds a handler if it has none. */
export function toRoute<State>(source: Route<State> | Middleware<State>): Route<State> {
  const route: Route<State> = typeof source === "function" ? { handler: source } : source;
  return { ...route, handler: withDefaultHandler(route) };
}

function withDefaultHandler<State>(route: Route<State>): Route<State>["handler"] {
  const { component, handler } = route;
  if (handler === undefined) return component === undefined ? answerNotFound : renderWithoutData;
  const rendersGet = component !== undefined && isByMethod(handler) && !handler.GET;
  return rendersGet ? { ...handler, GET: renderWithoutData } : handler;
}

const renderWithoutData: HandlerFn<unknown, unknown> = () => ({ data: {} });

const answerNotFound: HandlerFn<unknown, unknown> = () => {
  throw new HttpError(404);
};
