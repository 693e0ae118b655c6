import type { FreshConfig, ResolvedFreshConfig } from "./config.ts";
import { Context } from "./context.ts";
import { answerError } from "./default_error.ts";
import { type ListenOptions, serveApp } from "./http/listen.ts";
import { renderPage } from "./render/page.ts";
import { requestUi } from "./http/request_ui.ts";
import { requestUrl } from "./http/request_url.ts";
import type { MaybeLazyMiddleware, Middleware } from "./routing/chain.ts";
import { compile, refuseMethod, refuseUnknownPath, type Routes } from "./routing/compile.ts";
import { joinPattern } from "./routing/patterns.ts";
import { type Match, type Method, METHODS } from "./routing/route_table.ts";
import { type Step, toRoute } from "./routing/steps.ts";
import { emptySnapshot, type Snapshot } from "./build/snapshot.ts";
import { StandInError } from "./error.ts";
import type { LayoutConfig } from "./layout_config.ts";
import type { MaybeLazy, Route, RouteComponent, RouteConfig } from "./types.ts";

export type { ListenOptions };

type Link<State> = MaybeLazyMiddleware<State> | MaybeLazy<Middleware<State>>;

/** Gives an app the result of a build. */
export let setSnapshot: <State>(app: App<State>, snapshot: Snapshot) => void;

/** Connection info for a handler that is called without a server. */
const NO_CONNECTION = {
  remoteAddr: { transport: "tcp", hostname: "localhost", port: 1234 },
  completed: Promise.resolve(),
} as Deno.ServeHandlerInfo;

/** A web application: middlewares, routes and pages, registered in the order in which they apply. */
export class App<State> {
  /** The app's settings. */
  config: ResolvedFreshConfig;
  #steps: Step<State>[] = [];
  #snapshot: () => Snapshot | undefined = () => undefined;

  static {
    setSnapshot = (app, snapshot) => {
      app.config.root = snapshot.root;
      app.#snapshot = () => snapshot;
    };
  }

  /** Creates an app without routes. */
  constructor(config: FreshConfig = {}) {
    this.config = {
      root: ".",
      basePath: config.basePath ?? "",
      mode: config.mode ?? "production",
      trustProxy: config.trustProxy ?? false,
    };
  }

  /** Adds middlewares, for everything or below a path. */
  use(...middleware: MaybeLazyMiddleware<State>[]): this;
  use(path: string, ...middleware: MaybeLazyMiddleware<State>[]): this;
  use(
    first: string | MaybeLazyMiddleware<State>,
    ...others: MaybeLazyMiddleware<State>[]
  ): this {
    const pattern = typeof first === "string" ? first : "*";
    const links = typeof first === "string" ? others : [first, ...others];
    return this.#add({ kind: "middleware", pattern, links, whole: true });
  }

  /** Handles requests that end in a 404. */
  notFound(routeOrMiddleware: Route<State> | Middleware<State>): this {
    return this.#add({ kind: "notFound", route: toRoute(routeOrMiddleware) });
  }

  /** Handles errors thrown below a path. */
  onError(path: string, routeOrMiddleware: Route<State> | Middleware<State>): this {
    return this.#add({
      kind: "error",
      pattern: path,
      route: toRoute(routeOrMiddleware),
      whole: true,
    });
  }

  /** Sets the component around every page: the one with `<html>`. */
  appWrapper(component: RouteComponent<State>): this {
    return this.#add({ kind: "app", component });
  }

  /** Sets the component around the pages below a path. */
  layout(path: string, component: RouteComponent<State>, config?: LayoutConfig): this {
    return this.#add({ kind: "layout", pattern: path, component, config, whole: true });
  }

  /** Adds a route with a handler, a component, or both. */
  route(path: string, route: MaybeLazy<Route<State>>, config?: RouteConfig): this {
    const loaded = typeof route === "function"
      ? () => route().then((loaded) => toRoute(loaded))
      : toRoute(route);
    return this.#add({ kind: "route", pattern: path, route: loaded, config, whole: true });
  }

  /** Handles `GET`, and `HEAD` if no other route does. */
  get(path: string, ...middlewares: Link<State>[]): this {
    return this.#on(["GET"], path, middlewares);
  }

  /** Answers `POST`. */
  post(path: string, ...middlewares: Link<State>[]): this {
    return this.#on(["POST"], path, middlewares);
  }

  /** Answers `PATCH`. */
  patch(path: string, ...middlewares: Link<State>[]): this {
    return this.#on(["PATCH"], path, middlewares);
  }

  /** Answers `PUT`. */
  put(path: string, ...middlewares: Link<State>[]): this {
    return this.#on(["PUT"], path, middlewares);
  }

  /** Answers `DELETE`. */
  delete(path: string, ...middlewares: Link<State>[]): this {
    return this.#on(["DELETE"], path, middlewares);
  }

  /** Answers `HEAD`. */
  head(path: string, ...middlewares: Link<State>[]): this {
    return this.#on(["HEAD"], path, middlewares);
  }

  /** Answers every method. */
  all(path: string, ...middlewares: Link<State>[]): this {
    return this.#on(METHODS, path, middlewares);
  }

  /** @throws {StandInError} Only upstream Fresh has it. */
  ws(..._arguments: unknown[]): this {
    throw new StandInError("App.ws()");
  }

  /** Adds the files below `routes/` at this position in the order. */
  fsRoutes(pattern = "*"): this {
    const load = () => this.#snapshot()?.routes ?? [];
    return this.#add({ kind: "files", pattern, load, whole: false });
  }

  /** Adds everything that another app registered so far, below a path. */
  mountApp(path: string, app: App<State>): this {
    const base = app.config.basePath;
    for (const step of app.#steps) {
      if (step.kind === "app" || step.kind === "notFound") {
        this.#add(step);
        continue;
      }
      const inner = base ? joinPattern(base, step.pattern, false) : step.pattern;
      const pattern = joinPattern(path, inner, true);
      this.#add({ ...step, pattern, whole: step.whole || step.pattern === "/" });
    }
    app.#snapshot = () => this.#snapshot();
    return this;
  }

  /** Returns the function that handles requests, for `Deno.serve()` and for tests. */
  handler(): (request: Request, info?: Deno.ServeHandlerInfo) => Promise<Response> {
    const snapshot = this.#snapshot() ?? emptySnapshot(this.config.root);
    const routes = compile(this.#steps, this.config.basePath);
    return (req, info = NO_CONNECTION) => this.#answer(req, info, routes, snapshot);
  }

  /** Serves the app. Without a port, it uses the first free one from 8000 to 8019. */
  async listen(options: ListenOptions = {}): Promise<void> {
    await serveApp(this.handler(), this.config.basePath, options);
  }

  #add(step: Step<State>): this {
    this.#steps.push(step);
    return this;
  }

  #on(methods: readonly Method[], pattern: string, links: Link<State>[]): this {
    const all = links as MaybeLazyMiddleware<State>[];
    return this.#add({ kind: "handler", methods, pattern, links: all, whole: true });
  }

  async #answer(
    req: Request,
    info: Deno.ServeHandlerInfo,
    routes: Routes<State>,
    snapshot: Snapshot,
  ): Promise<Response> {
    const url = requestUrl(req, this.config.trustProxy);
    if (url === null) return new Response("Bad Request", { status: 400 });
    const method = req.method.toUpperCase() as Method;
    const match = routes.table.match(method, url);
    const { route, params, item } = match;
    const next = endOfChain(method, match);
    const { config } = this;
    const init = { req, url, info, route, params, config, next, renderPage };
    const ctx = new Context<State>(init);
    requestUi(ctx).snapshot = snapshot;
    try {
      const response = await (item ?? routes.fallback)(ctx);
      if (!(response instanceof Response)) {
        throw new Error(
          `A handler must return a Response, but ${method} ${url.pathname} did not`,
        );
      }
      return method === "HEAD" ? new Response(null, response) : response;
    } catch (error) {
      ctx.error = error;
      return answerError(ctx);
    }
  }
}

/** The result of the last `ctx.next()`. */
function endOfChain<T>(method: Method, { route, item, allowed }: Match<T>) {
  if (route === null || item !== undefined) return refuseUnknownPath;
  if (method !== "OPTIONS") return refuseMethod;
  const headers = { Allow: allowed.join(", ") };
  return () => Promise.resolve(new Response(null, { status: 204, headers }));
}
