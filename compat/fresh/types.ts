import type { AnyComponent, RenderableProps, VNode } from "preact";
import type { Context } from "./context.ts";
import type { RouteHandler } from "./handlers.ts";
import type { Method } from "./routing/route_table.ts";

/** A function that loads a value when it is first needed. */
export type Lazy<T> = () => Promise<T>;

/** A value, or a function that loads it. */
export type MaybeLazy<T> = T | Lazy<T>;

/** What a layout file may export as `config`. */
export interface LayoutConfig {
  /** Leave out the layouts of the folders above. @default {false} */
  skipInheritedLayouts?: boolean;
  /** Leave out the app wrapper. @default {false} */
  skipAppWrapper?: boolean;
}

/** What a route file may export as `config`. */
export interface RouteConfig extends LayoutConfig {
  /** Pattern that is matched in place of the one made from the file's path. */
  routeOverride?: string;
  /** Accepted for compatibility; use the `csp()` middleware. */
  csp?: boolean;
  /** Methods for which a lazily loaded route is registered. @default {"ALL"} */
  methods?: "ALL" | Method[];
}

/** What pages, layouts and the app wrapper receive. */
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

/** An `async` component: awaited before rendering, and free to answer with a `Response`. */
export interface AsyncComponent<Props> {
  // As Preact has it: a component of either kind is then typed where it is written.
  // deno-lint-ignore no-explicit-any
  (props: RenderableProps<Props>, context?: any): Promise<VNode<any> | Response | null>;
  displayName?: string;
  defaultProps?: Partial<Props>;
}

/** A component of a page, layout or app wrapper. */
export type RouteComponent<State> =
  | AsyncComponent<PageProps<unknown, State>>
  | AnyComponent<PageProps<unknown, State>>;

/** A route: what answers, what it renders, and how. */
export interface Route<State> {
  component?: RouteComponent<State>;
  config?: RouteConfig;
  handler?: RouteHandler<unknown, State>;
}
