import {
  type Application,
  guarded,
  isGuarded,
  type Middleware,
  type Scope,
} from "../core/scope.ts";
import { type Route, router } from "./router.ts";

/** A chain of middleware from the outside in. Each {@linkcode Stack.use} adds one. */
export interface Stack<S extends Scope> {
  /**
   * Adds a middleware inside the previous ones. If those do not add the scope that it needs, this line
   * does not compile.
   */
  use<Adds>(middleware: Middleware<S, Adds>): Stack<S & Adds>;
  /** Completes the stack with a router: see {@linkcode router}. */
  routes(routes: readonly Route<S>[]): Application<Scope>;
  /** Completes the stack with any application: a nested router or a single consumer. */
  around(application: Application<S>): Application<Scope>;
}

/**
 * Starts a stack: the middleware that a connection passes before a consumer serves it, from top to
 * bottom.
 *
 * `toHandler()` refuses a stack that does not check the origin (`origins()`, or explicitly
 * `anyOrigin()`) or does not declare its audience (`requireUser()`, or explicitly `allowAnonymous()`).
 *
 * @example
 * ```ts
 * import { allowAnonymous, Consumer, origins, route, stack, toHandler } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * class Clock extends Consumer {}
 *
 * const application = stack()
 *   .use(origins(["https://app.example.com"]))
 *   .use(allowAnonymous())
 *   .routes([route("/ws/clock", Clock)]);
 * assert.equal(typeof toHandler(application), "function");
 * assert.throws(() => toHandler(stack().routes([route("/ws/clock", Clock)])), TypeError);
 * ```
 */
export function stack(): Stack<Scope> {
  return new Layered<Scope>([]);
}

/** A middleware whose types were checked by {@linkcode Stack.use}. */
type Wrap = (next: Application<never>) => Application<never>;

class Layered<S extends Scope> implements Stack<S> {
  readonly #middleware: readonly Wrap[];

  constructor(middleware: readonly Wrap[]) {
    this.#middleware = middleware;
  }

  use<Adds>(middleware: Middleware<S, Adds>): Stack<S & Adds> {
    return new Layered<S & Adds>([...this.#middleware, middleware as unknown as Wrap]);
  }

  routes(routes: readonly Route<S>[]): Application<Scope> {
    return this.around(router<S>(routes));
  }

  around(application: Application<S>): Application<Scope> {
    const wrapped = this.#middleware.reduceRight(wrap, application as Application<never>);
    return wrapped as Application<Scope>;
  }
}

/** Wraps an application. Custom middleware keeps the guards of the application inside it. */
function wrap(next: Application<never>, middleware: Wrap): Application<never> {
  const application = middleware(next);
  return isGuarded(application) ? application : guarded(application, next);
}
