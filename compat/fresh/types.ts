import type { AnyComponent, RenderableProps, VNode } from "preact";
import type { Context } from "./context.ts";
import type { RouteHandler } from "./handlers.ts";
import type { LayoutConfig } from "./layout_config.ts";
import type { Method } from "./routing/route_table.ts";

/** A function that loads a value on first use. */
export type Lazy<T> = () => Promise<T>;

/** A value, or a function that loads it. */
export type MaybeLazy<T> = T | Lazy<T>;

/** The `config` export of a route file. */
export interface RouteConfig extends LayoutConfig {
  /** Pattern to match instead of the one from the file's path. */
  routeOverride?: string;
  /** Accepted for compatibility; use the `csp()` middleware. */
  csp?: boolean;
  /** Methods for which a lazily loaded route is registered. @default {"ALL"} */
  methods?: "ALL" | Method[];
}

/** The properties of pages, layouts and the app wrapper. */
export type PageProps<Data = unknown, State = unknown> =
  & Pick<
    Context<State>,
    | "config"
    | "url"
    | "req"
    | "params"
    | "info"
    | "state"
    | "isPartial"
    | "Component"
    | "error"
    | "route"
  >
  & { data: Data };

/** An `async` component, which is awaited before rendering and may return a `Response`. */
export interface AsyncComponent<Props> {
  // As in Preact, so that both kinds of components are typed at their definition.
  // deno-lint-ignore no-explicit-any
  (props: RenderableProps<Props>, context?: any): Promise<VNode<any> | Response | null>;
  displayName?: string;
  defaultProps?: Partial<Props>;
}

/** A component of a page, layout or app wrapper. */
export type RouteComponent<State> =
  | AsyncComponent<PageProps<unknown, State>>
  | AnyComponent<PageProps<unknown, State>>;

/** A route: its handler, component and configuration. */
export interface Route<State> {
  component?: RouteComponent<State>;
  config?: RouteConfig;
  handler?: RouteHandler<unknown, State>;
}
