import { guarded } from "../guards.ts";
import { andThen } from "../promises.ts";
import { Refusal } from "../protocol/mod.ts";
import type { Admission, Application, Consumer, Scope } from "../scope.ts";
import { compilePattern, type PathParams, type PathPattern } from "./pattern.ts";

/** A class of consumers: one is made for each connection, from its scope. */
export interface ConsumerClass<in S> {
  new (scope: S): Consumer;
}

/** What a target at the path `P` needs besides the path's own parameters. */
export type Needs<N, P extends string> = N extends { readonly params: infer Params }
  ? PathParams<P> extends Params ? Omit<N, "params"> : N
  : N;

/** One line of a router: what it needs to know is `S`. */
export interface Route<in S> {
  readonly pattern: PathPattern;
  readonly application: Application<S>;
}

/**
 * Mounts a consumer, or a whole application, at a path.
 *
 * The parameters of the path are typed: a consumer that asks for one that the pattern does not have
 * does not compile. A pattern that ends in `/*` leaves the rest to the application, which finds it in
 * `scope.pathRemaining`. A consumer that takes more than its scope is mounted by a function:
 * `route("/ws/chat/:room", (scope: ChatScope) => new ChatConsumer(scope, presence))`.
 *
 * @throws {TypeError} The pattern is none; see {@linkcode compilePattern}.
 */
export function route<N, const P extends string>(
  path: P,
  target: ConsumerClass<N> | Application<N>,
): Route<Needs<N, P>> {
  const application = isConsumerClass(target) ? (scope: N) => new target(scope) : target;
  return { pattern: compilePattern(path), application: application as Application<unknown> };
}

/**
 * Dispatches connections by their path to the first route that fits, and refuses the others with 404
 * `NO_CONSUMER`.
 *
 * A nested router that has no route lets the outer one go on with its next.
 */
export function router<S extends Scope>(routes: readonly Route<NoInfer<S>>[]): Application<S> {
  const starts = startsOf(routes);
  const table: Table<S> = { routes, starts };
  const inside = routes.map(({ application }) => application);
  return guarded((scope: S) => dispatch(table, scope), inside);
}

/**
 * For paths that are all of a pattern: the route that is the first to fit, so that those before it need
 * not be tried.
 */
function startsOf(routes: readonly Pick<Route<never>, "pattern">[]): ReadonlyMap<string, number> {
  const starts = new Map<string, number>();
  routes.forEach(({ pattern: { only } }, index) => {
    const before = routes.slice(0, index);
    if (only === undefined || before.some(({ pattern }) => pattern.match(only))) return;
    starts.set(only, index);
  });
  return starts;
}

/** What a router takes from the path. */
type Routed = { -readonly [K in "params" | "pathRemaining"]: Scope[K] };

interface Table<in S> {
  readonly routes: readonly Route<S>[];
  /** Where to begin, by path. */
  readonly starts: ReadonlyMap<string, number>;
}

/** Nothing is waited for where a route decides at once. */
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
    const match = pattern.match(pathRemaining);
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

function isUnrouted(admission: Admission): boolean {
  return admission instanceof Refusal && admission.code === "NO_CONSUMER";
}

function isConsumerClass<S>(
  target: ConsumerClass<S> | Application<S>,
): target is ConsumerClass<S> {
  return "prototype" in target && typeof target.prototype?.start === "function";
}
