import { guarded, isGuarded } from "../guards.ts";
import type { Application, Middleware, Scope } from "../scope.ts";
import { type Route, router } from "./router.ts";

/** Middleware from the outside in. It grows by one line a {@linkcode Stack.use}. */
export interface Stack<S extends Scope> {
  /**
   * Adds a middleware inside those before. What it needs must have been added above: if not, this line
   * does not compile.
   */
  use<Adds>(middleware: Middleware<S, Adds>): Stack<S & Adds>;
  /** Ends the stack with a router: see {@linkcode router}. */
  routes(routes: readonly Route<S>[]): Application<Scope>;
  /** Ends the stack with any application: a nested router, or a single consumer. */
  around(application: Application<S>): Application<Scope>;
}

/**
 * Begins a stack: what a connection goes through before a consumer serves it, read from top to
 * bottom.
 *
 * `toHandler()` refuses a stack that checks no origin (`origins()`, or explicitly `anyOrigin()`) or
 * does not say who may connect (`requireUser()`, or explicitly `allowAnonymous()`).
 *
 * @example
 * ```ts
 * import { Consumer } from "@sluice/sluice/consumers";
 * import { allowAnonymous } from "@sluice/sluice/auth";
 * import { route, stack } from "@sluice/sluice/routing";
 * import { origins } from "@sluice/sluice/security";
 * import { toHandler } from "@sluice/sluice/server";
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

/** A middleware whose types have been checked by {@linkcode Stack.use}. */
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

/** Wraps an application. A middleware of the reader's own keeps the guards of what is inside it. */
function wrap(next: Application<never>, middleware: Wrap): Application<never> {
  const application = middleware(next);
  return isGuarded(application) ? application : guarded(application, next);
}
