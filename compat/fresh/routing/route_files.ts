import type { RouteFile } from "../build/snapshot.ts";
import { isByMethod, type RouteHandler } from "../handlers.ts";
import type { LayoutConfig } from "../layout_config.ts";
import type { Lazy, Route, RouteComponent, RouteConfig } from "../types.ts";
import type { Middleware } from "./chain.ts";
import { compareRouteFiles } from "./route_order.ts";
import { filePathToPattern } from "./patterns.ts";
import { type Step, toRoute } from "./steps.ts";

/** The possible exports of a route file. */
interface RouteModule<State> {
  config?: RouteConfig & LayoutConfig;
  handler?: RouteHandler<unknown, State>;
  handlers?: RouteHandler<unknown, State>;
  default?: RouteComponent<State> | Middleware<State> | Middleware<State>[];
}

const SPECIAL_FILE = /^(.*)\/_(app|layout|middleware|error|500|404)$/;

/** Turns the files below `routes/` into registrations, in order of precedence. */
export function filesToSteps<State>(files: RouteFile[]): Step<State>[] {
  const sorted = files.toSorted((a, b) => compareRouteFiles(a.id, b.id));
  return sorted.flatMap((file) => fileToStep<State>(file) ?? []);
}

function fileToStep<State>(file: RouteFile): Step<State> | undefined {
  const special = SPECIAL_FILE.exec(file.id);
  if (special === null) return routeStep(file);
  const folder = special[1];
  const module = checkModule<State>(file, special[2] === "middleware");
  const placed = { pattern: filePathToPattern(folder.slice(1), true), whole: true };
  const component = module.default as RouteComponent<State> | undefined;
  switch (special[2]) {
    case "middleware":
      return middlewareStep(file, module, placed);
    case "layout":
      return component && { kind: "layout", component, config: module.config, ...placed };
    case "app":
      return component && { kind: "app", component };
    case "404":
      return { kind: "notFound", route: toRoute(moduleToRoute(module)) };
    default:
      return { kind: "error", route: toRoute(moduleToRoute(module)), ...placed };
  }
}

function middlewareStep<State>(
  { id }: RouteFile,
  module: RouteModule<State>,
  placed: { pattern: string; whole: boolean },
): Step<State> | undefined {
  const exported = module.handlers ?? module.handler ?? module.default;
  if (isByMethod(exported as RouteHandler<unknown, State>)) {
    console.warn(
      `Ignoring a middleware with one handler per method, which is not possible: routes${id}`,
    );
    return;
  }
  const links = (Array.isArray(exported) ? exported : [exported]) as Middleware<State>[];
  return { kind: "middleware", links, ...placed };
}

/**
 * A route is registered for all methods, and its module is loaded at the first request. The module of a
 * route with its own pattern is loaded now, and registered for its methods.
 */
function routeStep<State>(file: RouteFile): Step<State> {
  const path = file.id.slice(1);
  const isIndex = file.id.endsWith("/index");
  const placed = filePathToPattern(path, true);
  const pattern = isIndex && !placed.endsWith("/") ? placed + "/" : placed;
  const routeOverride = filePathToPattern(path);
  const eager = (file.module as RouteModule<State> | null)?.config?.routeOverride !== undefined;
  const load: Lazy<Route<State>> = () =>
    Promise.resolve().then(() => toRoute(moduleToRoute(checkModule<State>(file, false))));
  return {
    kind: "route",
    pattern,
    whole: false,
    route: eager ? toRoute(moduleToRoute(checkModule<State>(file, false))) : load,
    config: { routeOverride },
  };
}

function moduleToRoute<State>(module: RouteModule<State>): Route<State> {
  return {
    config: module.config,
    component: module.default as RouteComponent<State> | undefined,
    handler: module.handlers ?? module.handler,
  };
}

function checkModule<State>(
  { id, module }: RouteFile,
  isMiddleware: boolean,
): RouteModule<State> {
  const { default: page, config, handler, handlers } = (module ?? {}) as Record<string, unknown>;
  const usable = typeof page === "function" || isMiddleware && Array.isArray(page) ||
    [config, handler, handlers].some((value) =>
      typeof value === "object" && value !== null || typeof value === "function"
    );
  if (!usable) {
    const expected = isMiddleware
      ? "a middleware, or a list of them, as its default export"
      : "a component as its default export, or `handler`, `handlers` or `config`";
    throw new Error(`routes${id} must export ${expected}`);
  }
  for (const exported of [handlers, handler]) {
    if (typeof exported === "function" && exported.length > 1) {
      throw new Error(
        `The handler in routes${id} takes more than one argument; it receives only the context`,
      );
    }
  }
  return module as RouteModule<State>;
}
