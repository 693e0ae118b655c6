import { HttpError } from "../error.ts";
import { isByMethod } from "../handlers.ts";
import type { Route, RouteConfig } from "../types.ts";
import { answerRoute } from "./answer_route.ts";
import { chain, type MaybeLazyMiddleware, type Middleware } from "./chain.ts";
import { joinPattern } from "./patterns.ts";
import { filesToSteps } from "./route_files.ts";
import { type Method, METHODS, RouteTable } from "./route_table.ts";
import { Scope } from "./scope.ts";
import type { Step } from "./steps.ts";

/** The result of an app's registrations. */
export interface Routes<State> {
  table: RouteTable<Middleware<State>>;
  /** Handles requests without a route, with the middlewares and error pages of the root. */
  fallback: Middleware<State>;
}

/** Applies registrations in order; each one sees only earlier ones. */
export function compile<State>(steps: Step<State>[], basePath: string): Routes<State> {
  const root = new Scope<State>();
  const table = new RouteTable<Middleware<State>>();
  for (const step of steps) apply({ root, table }, step, basePath);
  return { table, fallback: chain(root.middlewaresFromRoot()) };
}

interface Target<State> {
  root: Scope<State>;
  table: RouteTable<Middleware<State>>;
}

function apply<State>(target: Target<State>, step: Step<State>, base: string): void {
  const { root } = target;
  if (step.kind === "app") {
    root.app = step.component;
    return;
  }
  if (step.kind === "notFound") {
    root.notFound = step.route;
    return;
  }
  if (step.kind === "files") {
    const mounted = joinPattern(base, step.pattern, true);
    for (const inner of filesToSteps<State>(step.load())) apply(target, inner, mounted);
    return;
  }
  const scope = root.at(step.pattern, step.whole);
  switch (step.kind) {
    case "middleware":
      scope.middlewares.push(...step.links);
      break;
    case "layout":
      scope.layout = { component: step.component, config: step.config ?? {} };
      break;
    case "error":
      scope.errorRoute = step.route;
      break;
    case "handler":
      addHandler(target, scope, step, base);
      break;
    case "route":
      addRoute(target, scope, step, base);
  }
}

function addHandler<State>(
  { table }: Target<State>,
  scope: Scope<State>,
  step: Step<State> & { kind: "handler" },
  base: string,
): void {
  const path = joinPattern(base, step.pattern, false) || "*";
  table.add(step.methods, path, chain([...scope.middlewaresFromRoot(), ...step.links]));
}

function addRoute<State>(
  { table }: Target<State>,
  scope: Scope<State>,
  { route, pattern, config }: Step<State> & { kind: "route" },
  base: string,
): void {
  const isLazy = typeof route === "function";
  const override = isLazy ? config?.routeOverride : route.config?.routeOverride;
  const path = joinPattern(base, override ?? pattern, false) || "*";
  const methods = isLazy ? lazyMethods(config) : routeMethods(route);
  const answer = isLazy ? answerLazily(route) : answerEagerly(route);
  table.add(methods, path, chain([...scope.middlewaresFromRoot(), answer]));
}

function answerEagerly<State>(route: Route<State>): MaybeLazyMiddleware<State> {
  return (ctx) => answerRoute(ctx, route);
}

function answerLazily<State>(load: () => Promise<Route<State>>): MaybeLazyMiddleware<State> {
  let route: Route<State> | undefined;
  return async (ctx) => answerRoute(ctx, route ??= await load());
}

function lazyMethods(config: RouteConfig | undefined): readonly Method[] {
  return Array.isArray(config?.methods) ? config.methods : METHODS;
}

function routeMethods<State>({ handler }: Route<State>): readonly Method[] {
  return isByMethod(handler) ? Object.keys(handler) as Method[] : METHODS;
}

/** Ends a chain if no route matches the path. */
export function refuseUnknownPath(): Promise<Response> {
  return Promise.reject(new HttpError(404));
}

/** Ends a chain if the path matches, but not the method. */
export function refuseMethod(): Promise<Response> {
  return Promise.reject(new HttpError(405));
}
