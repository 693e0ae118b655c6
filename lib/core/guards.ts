/**
 * The guarantees of an application's middleware, known without a request. A handler that would open
 * sockets to every site, or to anonymous clients by accident, is refused when it is built.
 *
 * @module
 */
import type { Application } from "./scope.ts";

/**
 * A guarantee that a middleware gives to everything inside it: the origin was checked, the session was
 * read, or the permitted audience was declared.
 */
export type Guard = "origin" | "session" | "audience";

/** The guards on one path through an application, outermost first. */
type Path = readonly Guard[];

const UNGUARDED: readonly Path[] = [[]];

const pathsOf = new WeakMap<Application<never>, readonly Path[]>();

/**
 * Records the guards of a middleware's application: those of the applications inside it, with `guard`
 * around them. An application with several inside, such as a router, has one path through each.
 * Returns `application`.
 */
export function guarded<A extends Application<never>>(
  application: A,
  inside: Application<never> | readonly Application<never>[],
  guard?: Guard,
): A {
  const paths = [inside].flat().flatMap((next) => pathsOf.get(next) ?? UNGUARDED);
  const own = guard === undefined ? paths : paths.map((path) => [guard, ...path]);
  pathsOf.set(application, own.length > 0 ? own : UNGUARDED);
  return application;
}

/** Returns whether guards were recorded for an application. */
export function isGuarded(application: Application<never>): boolean {
  return pathsOf.has(application);
}

/**
 * Checks that every path through an application checks the origin before it reads a session, and
 * declares the permitted audience.
 *
 * @throws {TypeError} A guard is missing or out of order; the message says what to add.
 */
export function assertGuarded(application: Application<never>): void {
  for (const path of pathsOf.get(application) ?? UNGUARDED) {
    const [origin, session] = [path.indexOf("origin"), path.indexOf("session")];
    if (origin === -1) {
      throw new TypeError(`${REFUSED}: it has no origin check. ${ADD_ORIGINS}`);
    }
    if (session !== -1 && session < origin) {
      throw new TypeError(`${REFUSED}: it reads the session before it checks the origin. ${ORDER}`);
    }
    if (!path.includes("audience")) {
      throw new TypeError(`${REFUSED}: it accepts anonymous clients. ${ADD_AUDIENCE}`);
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
