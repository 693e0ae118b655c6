/**
 * What the middleware of an application guarantees, known without a request: so that a handler that
 * would open sockets to every site, or to anonymous clients, is refused when it is built.
 *
 * @module
 */
import type { Application } from "./scope.ts";

/**
 * What one middleware guarantees to everything inside it: the origin was checked, the session was
 * read, or it was decided who may connect.
 */
export type Guard = "origin" | "session" | "audience";

/** The guards on one way through an application, outermost first. */
type Way = readonly Guard[];

const UNGUARDED: readonly Way[] = [[]];

const waysOf = new WeakMap<Application<never>, readonly Way[]>();

/**
 * Marks a middleware's application: it has the guards of what is inside it, and `guard` around them.
 * An application with several inside, such as a router, has a way through each. Returns `application`.
 */
export function guarded<A extends Application<never>>(
  application: A,
  inside: Application<never> | readonly Application<never>[],
  guard?: Guard,
): A {
  const ways = [inside].flat().flatMap((next) => waysOf.get(next) ?? UNGUARDED);
  const own = guard === undefined ? ways : ways.map((way) => [guard, ...way]);
  waysOf.set(application, own.length > 0 ? own : UNGUARDED);
  return application;
}

/** Returns whether an application was marked. */
export function isGuarded(application: Application<never>): boolean {
  return waysOf.has(application);
}

/**
 * Checks that on every way through an application the origin is checked before a session is read, and
 * that it is decided who may connect.
 *
 * @throws {TypeError} It is not; the message says what to add.
 */
export function assertGuarded(application: Application<never>): void {
  for (const way of waysOf.get(application) ?? UNGUARDED) {
    const [origin, session] = [way.indexOf("origin"), way.indexOf("session")];
    if (origin === -1) throw new TypeError(`${REFUSED}: it checks no origin. ${ADD_ORIGINS}`);
    if (session !== -1 && session < origin) {
      throw new TypeError(`${REFUSED}: it reads the session before it checks the origin. ${ORDER}`);
    }
    if (!way.includes("audience")) {
      throw new TypeError(`${REFUSED}: it lets in anonymous clients. ${ADD_AUDIENCE}`);
    }
  }
}

const REFUSED = "Cannot build a handler from this application";
const ADD_ORIGINS =
  "Add .use(origins([…])) to its stack(), or .use(anyOrigin()) if pages of every " +
  "site may connect";
const ORDER = "Put .use(origins([…])) above .use(session(…))";
const ADD_AUDIENCE =
  "Add .use(requireUser()) to its stack(), or .use(allowAnonymous()) if that is " +
  "what you want";
