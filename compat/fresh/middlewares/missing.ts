import type { Middleware } from "../routing/chain.ts";
import { StandInError } from "../error.ts";

/** @throws {StandInError} Only upstream Fresh has it. */
export function cors<State>(..._options: unknown[]): Middleware<State> {
  throw new StandInError("cors()");
}

/** @throws {StandInError} Only upstream Fresh has it. */
export function csrf<State>(..._options: unknown[]): Middleware<State> {
  throw new StandInError("csrf()");
}

/** @throws {StandInError} Only upstream Fresh has it. */
export function ipFilter<State>(..._options: unknown[]): Middleware<State> {
  throw new StandInError("ipFilter()");
}

/** @throws {StandInError} Only upstream Fresh has it. */
export function trailingSlashes<State>(..._options: unknown[]): Middleware<State> {
  throw new StandInError("trailingSlashes()");
}
