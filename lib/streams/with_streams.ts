import { adding, type Application, type Middleware, type Scope } from "../core/scope.ts";
import type { StreamStore } from "./stream_store.ts";

/** A scope with a store of streams and command keys. */
export interface StreamScope extends Scope {
  /** Where consumers keep their streams and the keys of commands. */
  readonly streamStore: StreamStore;
}

/** Gives consumers a store of streams and command keys. See {@linkcode streams} for stacks. */
export function withStreams<S>(
  streamStore: StreamStore,
  next: Application<S & StreamScope>,
): Application<S & Scope> {
  return adding({ streamStore }, next);
}

/**
 * The middleware for a `stack()` that gives consumers a store of streams and command keys.
 *
 * @example
 * ```ts
 * import { MemoryStreamStore, streams } from "@sluice/sluice/streams";
 * import { stack } from "@sluice/sluice/routing";
 * import { origins } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * const keeping = stack().use(origins()).use(streams(new MemoryStreamStore()));
 * assert.equal(typeof keeping.routes, "function");
 * ```
 */
export function streams(store: StreamStore): Middleware<Scope, StreamScope> {
  return (next) => withStreams(store, next);
}
