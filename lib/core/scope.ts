import type { Refusal } from "../protocol/mod.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionHandler } from "./consumer.ts";

/**
 * The properties of one connection. Middleware adds to them: see {@linkcode Application}.
 *
 * *Security*: everything except `address` and `id` comes from the peer.
 */
export interface Scope {
  /** `websocket` for an upgrade, otherwise `http`. */
  readonly type: "websocket" | "http";
  /** Identifies the connection in logs; unique in this process and not secret. */
  readonly id: string;
  /** The request method. */
  readonly method: string;
  /** The full URL; behind a proxy, the public one. */
  readonly url: URL;
  /** The path, percent-encoded; letters, digits, `-`, `.`, `_` and `~` are always decoded. */
  readonly path: string;
  /** The parameters of the query. */
  readonly query: URLSearchParams;
  /**
   * The request headers: all of them until the client is accepted. While a socket is open, only those
   * that the handler keeps (`keepHeaders`); reading another one throws a `TypeError`.
   */
  readonly headers: Headers;
  /** The cookies by name; of several with one name, the first. */
  readonly cookies: ReadonlyMap<string, string>;
  /** The subprotocols that the client offered, in order and without tickets. */
  readonly subprotocols: readonly string[];
  /**
   * The ticket offered among the subprotocols or, by a plain request, in the header `Authorization:
   * Ticket …`. *Security*: a credential; never log it.
   */
  readonly ticket: string | undefined;
  /**
   * @internal Uses up the ticket of a plain request, once it is answered. Resolves to false if it was
   * used before. An upgrade uses up its ticket by itself, and a request that only asks uses none.
   */
  readonly useTicket?: () => Promise<boolean>;
  /** IP address of the peer without a port; behind a trusted proxy, that of the client. */
  readonly address: string;
  /** The parameters that the router extracted from the path. */
  readonly params: Readonly<Record<string, string | number>>;
  /** The rest of the path, for a nested router; starts with `/`. */
  readonly pathRemaining: string;
  /** The request body; undefined for an upgrade and for a request without a body. */
  readonly body?: ReadableStream<Uint8Array> | undefined;
  /** The connection itself. */
  readonly connection: Connection;
}

/**
 * Decides about a connection: a router, a middleware around one, or a complete stack.
 *
 * It returns the consumer that serves the connection, a {@linkcode Refusal} or a `Response`. The type
 * parameter is the scope that it requires. A middleware that adds to the scope has the type `(next:
 * Application<S & Added>) => Application<S>`, so a stack with a missing middleware does not compile.
 */
export type Application<in S> = (
  scope: S,
) => ConnectionHandler | Refusal | Response | Promise<ConnectionHandler | Refusal | Response>;

/**
 * Wraps an application. `Needs` is the scope that it requires, `Adds` is its addition to the scope.
 *
 * Middleware that adds nothing, such as logging, needs a `Scope` and adds `unknown`.
 */
export interface Middleware<in Needs, out Adds = unknown> {
  <S extends Needs>(next: Application<S & Adds>): Application<S>;
  /**
   * Never set. It lets a generic middleware, such as `requireUser()`, infer its types from the stack that
   * it is added to: TypeScript does not infer from the constraint above.
   *
   * @internal
   */
  readonly types?: ((needs: Needs) => Adds) | undefined;
}

/** The scope of a connection whose origin was checked or explicitly need not be. */
export interface OriginScope extends Scope {
  /** Marks the check. */
  readonly originChecked: true;
}

/** The scope of a connection for which the permitted audience was declared. */
export interface AudienceScope extends Scope {
  /** `users`: signed-in users only. `anyone`: anonymous clients too. */
  readonly audience: "users" | "anyone";
}

/**
 * The decision of an {@linkcode Application}.
 *
 * @internal
 */
export type Admission = ConnectionHandler | Refusal | Response;

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

/** Returns the application of a middleware that adds the same parts to every scope. */
export function adding<S, P extends object>(
  parts: P,
  next: Application<S & Scope & P>,
  guard?: Guard,
): Application<S & Scope> {
  return guarded((scope) => next(Object.assign(scope, parts)), next, guard);
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
