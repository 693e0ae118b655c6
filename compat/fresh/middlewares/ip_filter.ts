import type { Context } from "../context.ts";
import { StandInError } from "../stand_in_error.ts";
import type { Middleware } from "../routing/chain.ts";

/** Addresses and CIDR blocks that {@linkcode ipFilter} allows or refuses. */
export interface IpFilterRules {
  denyList?: string[];
  allowList?: string[];
}

/** Options of {@linkcode ipFilter}. */
export interface IpFilterOptions {
  /** Answers a refused request. */
  onBlocked?: <State>(
    remote: { addr: string; type: "IPv4" | "IPv6" },
    ctx: Context<State>,
  ) => Response | Promise<Response>;
}

/** Not available in the stand-in. @throws {StandInError} always */
export function ipFilter<State>(
  _rules: IpFilterRules,
  _options?: IpFilterOptions,
): Middleware<State> {
  throw new StandInError("ipFilter()");
}
