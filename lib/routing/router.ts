import { Refusal } from "../protocol/mod.ts";
import type { Admission, Application, Consumer, Scope } from "../scope.ts";
import { compilePattern, type PathParams, type PathPattern } from "./pattern.ts";

/** A class of consumers: one is made for each connection, from its scope. */
export interface ConsumerClass<in S> {
  new (scope: S): Consumer;
}

/** A scope with the parameters of a path pattern. */
export type RoutedScope<S, P extends string> = S & { readonly params: PathParams<P> };

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
 * `scope.pathRemaining`.
 *
 * @throws {TypeError} The pattern is none; see {@linkcode compilePattern}.
 */
export function route<S, const P extends string>(
  path: P,
  target: ConsumerClass<RoutedScope<S, P>> | Application<RoutedScope<S, P>>,
): Route<S> {
  const application = isConsumerClass(target)
    ? (scope: RoutedScope<S, P>) => new target(scope)
    : target;
  return { pattern: compilePattern(path), application: application as Application<S> };
}

/**
 * Dispatches connections by their path to the first route that fits, and refuses the others with 404
 * `NO_CONSUMER`.
 *
 * A nested router that has no route lets the outer one go on with its next.
 */
export function router<S extends Scope>(routes: readonly Route<NoInfer<S>>[]): Application<S> {
  return (scope) => dispatch(routes, scope);
}

async function dispatch<S extends Scope>(
  routes: readonly Route<S>[],
  scope: S,
): Promise<Admission> {
  const { params, pathRemaining } = scope;
  for (const { pattern, application } of routes) {
    const match = pattern.match(pathRemaining);
    if (match === undefined) continue;
    Object.assign(scope, {
      params: { ...params, ...match.params },
      pathRemaining: match.rest,
    });
    const admission = await application(scope);
    if (!isUnrouted(admission)) return admission;
    Object.assign(scope, { params, pathRemaining });
  }
  return new Refusal("NO_CONSUMER");
}

function isUnrouted(admission: Admission): boolean {
  return admission instanceof Refusal && admission.code === "NO_CONSUMER";
}

function isConsumerClass<S>(
  target: ConsumerClass<S> | Application<S>,
): target is ConsumerClass<S> {
  return "prototype" in target && typeof target.prototype?.start === "function";
}
