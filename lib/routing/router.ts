import { type Admission, type Application, guarded, type Scope } from "../core/scope.ts";
import { andThen } from "../core/promises.ts";
import { Refusal } from "../protocol/mod.ts";
import type { ConnectionHandler } from "../core/consumer.ts";
import { compilePattern, type PathParams, type PathPattern } from "./pattern.ts";

/**
 * A consumer class, instantiated for each connection with its scope.
 *
 * @internal
 */
export interface ConsumerClass<in S> {
  /** Creates the consumer of one connection. */
  new (scope: S): ConnectionHandler;
}

/**
 * The scope that a target at the path `P` needs besides the parameters of the path.
 *
 * @internal
 */
export type RouteNeeds<N, P extends string> = N extends { readonly params: infer Params }
  ? PathParams<P> extends Params ? Omit<N, "params"> : N
  : N;

/** One entry of a router. `S` is the scope that it needs. */
export interface Route<in S> {
  /** @internal */
  readonly pattern: PathPattern;
  /** The target of the route. */
  readonly application: Application<S>;
}

/**
 * Mounts a consumer or an application at a path.
 *
 * Path parameters are typed: a consumer that needs a parameter missing from the pattern does not
 * compile.
 *
 * `:name` is a text without `/`, `:name{int}` a number, `:name{slug}` letters, digits, `-` and `_`,
 * `:name{uuid}` a UUID in lower case, and `:name(expression)` what the regular expression matches.
 * A pattern that ends in `/*` leaves the rest of the path to the application, as
 * `scope.pathRemaining`. Use a function to mount a consumer that needs more than its scope:
 * `route("/ws/chat/:room", (scope: ChatScope) => new ChatConsumer(scope, presence))`.
 *
 * @throws {TypeError} The pattern is invalid.
 *
 * @example
 * ```ts
 * import { Consumer, route, type Scope } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * class Room extends Consumer<Scope & { readonly params: { readonly room: string } }> {}
 *
 * const mounted = route("/ws/rooms/:room{slug}", Room);
 * assert.equal(typeof mounted.application, "function");
 * assert.throws(() => route("rooms", Room), TypeError);
 * ```
 */
export function route<N, const P extends string>(
  path: P,
  target: (new (scope: N) => ConnectionHandler) | Application<N>,
): Route<RouteNeeds<N, P>> {
  const application = isConsumerClass(target) ? (scope: N) => new target(scope) : target;
  return { pattern: compilePattern(path), application: application as Application<unknown> };
}

/**
 * Routes connections by path to the first route that matches. Other paths are refused with 404
 * `NO_CONSUMER`.
 *
 * If a nested router has no matching route, the outer one continues with its next route.
 *
 * @example
 * ```ts
 * import { Consumer, route, router, type Scope } from "@sluice/sluice";
 * import { communicate } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * class Echo extends Consumer {}
 *
 * const application = router<Scope>([route("/ws/echo", Echo)]);
 * await using peer = communicate(application, { path: "/ws/other" });
 * const result = await peer.connect();
 * assert.equal(!result.accepted && result.code, "NO_CONSUMER");
 * ```
 */
export function router<S extends Scope>(routes: readonly Route<NoInfer<S>>[]): Application<S> {
  const starts = startsOf(routes);
  const table: Table<S> = { routes, starts };
  const inside = routes.map(({ application }) => application);
  return guarded((scope: S) => dispatch(table, scope), inside);
}

/** Maps literal paths to the first route that matches, so that earlier routes need not be tried. */
function startsOf(routes: readonly Pick<Route<never>, "pattern">[]): ReadonlyMap<string, number> {
  const starts = new Map<string, number>();
  routes.forEach(({ pattern: { only } }, index) => {
    const before = routes.slice(0, index);
    if (only === undefined || before.some(({ pattern }) => matchPath(pattern, only))) return;
    starts.set(only, index);
  });
  return starts;
}

/** The properties that a router sets on the scope. */
type Routed = { -readonly [K in "params" | "pathRemaining"]: Scope[K] };

interface Table<in S> {
  readonly routes: readonly Route<S>[];
  /** Index of the first route to try, by path. */
  readonly starts: ReadonlyMap<string, number>;
}

/** Returns synchronously if the route decides synchronously. */
function dispatch<S extends Scope>(
  table: Table<S>,
  scope: S,
  from?: number,
): Admission | Promise<Admission> {
  const { routes, starts } = table;
  const { params, pathRemaining } = scope;
  const routed: Routed = scope;
  const isNested = Object.keys(params).length > 0;
  for (let index = from ?? starts.get(pathRemaining) ?? 0; index < routes.length; index++) {
    const { pattern, application } = routes[index]!;
    const match = matchPath(pattern, pathRemaining);
    if (match === undefined) continue;
    routed.params = isNested ? { ...params, ...match.params } : match.params;
    routed.pathRemaining = match.rest;
    const goOn = (admission: Admission) => {
      if (!isUnrouted(admission)) return admission;
      routed.params = params;
      routed.pathRemaining = pathRemaining;
      return dispatch(table, scope, index + 1);
    };
    return andThen(application(scope), goOn);
  }
  return Refusal.of("NO_CONSUMER");
}

/** The result of matching a path. */
interface PathMatch {
  readonly params: Readonly<Record<string, string | number>>;
  /** The rest of the path, starting with `/`; empty for a pattern without `/*`. */
  readonly rest: string;
}

const ONLY: PathMatch = { params: Object.freeze({}), rest: "" };

/** Returns the match of a path, or undefined if it does not match. */
export function matchPath(pattern: PathPattern, path: string): PathMatch | undefined {
  if (pattern.only !== undefined) return path === pattern.only ? ONLY : undefined;
  const { expression, params, isPrefix } = pattern;
  const found = expression.exec(path);
  if (found === null) return undefined;
  const values: Record<string, string | number> = {};
  for (let index = 0; index < params.length; index++) {
    const { name, isNumber } = params[index]!;
    const text = decode(found[index + 1]!);
    if (text === undefined) return undefined;
    values[name] = isNumber ? Number(text) : text;
  }
  return { params: values, rest: isPrefix ? found[params.length + 1] ?? "/" : "" };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isUnrouted(admission: Admission): boolean {
  return admission instanceof Refusal && admission.code === "NO_CONSUMER";
}

function isConsumerClass<S>(
  target: ConsumerClass<S> | Application<S>,
): target is ConsumerClass<S> {
  return "prototype" in target && typeof target.prototype?.start === "function";
}
