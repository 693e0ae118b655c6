import type { Context } from "../context.ts";
import { HttpError } from "../error.ts";
import { requestUi } from "../http/request_ui.ts";
import type { LayoutConfig } from "../layout_config.ts";
import type { Route, RouteComponent } from "../types.ts";
import type { MaybeLazyMiddleware } from "./chain.ts";
import { patternFolders } from "./patterns.ts";
import { answerRoute } from "./answer_route.ts";

/** A folder of the URL tree, with its middlewares, layouts and error pages. */
export class Scope<State> {
  app: RouteComponent<State> | null = null;
  layout: { component: RouteComponent<State>; config: LayoutConfig } | null = null;
  errorRoute: Route<State> | null = null;
  /** Used by all folders; set only on the root. */
  notFound: Route<State> | null = null;
  middlewares: MaybeLazyMiddleware<State>[] = [];
  #parent: Scope<State> | null;
  #children = new Map<string, Scope<State>>();

  /** Creates the root, or a folder in `parent`. */
  constructor(parent: Scope<State> | null = null) {
    this.#parent = parent;
  }

  /** Returns the folder of a pattern, and creates it if it is missing. */
  at(pattern: string, whole: boolean): Scope<State> {
    // deno-lint-ignore no-this-alias
    let scope: Scope<State> = this;
    for (const name of patternFolders(pattern, whole)) {
      let child = scope.#children.get(name);
      if (child === undefined) scope.#children.set(name, child = new Scope(scope));
      scope = child;
    }
    return scope;
  }

  /** Returns the current middlewares of this folder, from the root down. */
  middlewaresFromRoot(): MaybeLazyMiddleware<State>[] {
    const outer = this.#parent?.middlewaresFromRoot() ?? [];
    return [...outer, this.#surround(), ...this.middlewares];
  }

  #root(): Scope<State> {
    return this.#parent === null ? this : this.#parent.#root();
  }

  /** Adds the folder's app wrapper and layout to the page, and handles errors below it. */
  #surround(): MaybeLazyMiddleware<State> {
    const { app, layout, errorRoute } = this;
    const root = this.#root();
    return async (ctx) => {
      const ui = requestUi(ctx);
      const before = { app: ui.app, layouts: ui.layouts };
      if (app !== null) ui.app = app;
      if (layout !== null) addLayout(ctx, layout);
      try {
        return await ctx.next();
      } catch (error) {
        const status = error instanceof HttpError ? error.status : 500;
        if (root.notFound !== null && status === 404) return await answerRoute(ctx, root.notFound);
        if (errorRoute !== null) return await answerRoute(ctx, errorRoute, status);
        throw error;
      } finally {
        Object.assign(ui, before);
      }
    };
  }
}

function addLayout<State>(
  ctx: Context<State>,
  { component, config }: { component: RouteComponent<State>; config: LayoutConfig },
): void {
  const ui = requestUi(ctx);
  if (config.skipAppWrapper) ui.app = null;
  ui.layouts = config.skipInheritedLayouts ? [component] : [...ui.layouts, component];
}
