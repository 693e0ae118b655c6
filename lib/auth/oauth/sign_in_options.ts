import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { Sessions } from "../../sessions/mod.ts";
import type { Audit } from "../audit/audit.ts";
import type { Provider } from "../providers/provider.ts";
import type { UserStore } from "../users/user_store.ts";

/** What a {@linkcode SignIn} is made of. */
export interface SignInParts {
  /** The providers that users may choose from. */
  readonly providers: readonly Provider[];
  /** Stores the users. */
  readonly users: UserStore;
  /** Creates the sessions. */
  readonly sessions: Sessions;
}

/** Options of {@linkcode SignIn}. */
export interface SignInOptions {
  /**
   * Keeps sign-ins that have begun, for all processes that share it.
   * @default {this process's memory, at most 10,000}
   */
  readonly kv?: KeyValue;
  /** Receives failures with their reason. @default {consoleLog} */
  readonly log?: Log;
  /**
   * Limits attempts per address; each step of a sign-in counts. `take()` returns undefined, or how
   * long to wait, in seconds. @default {no limit}
   */
  readonly attempts?: { take(address: string): number | undefined } | undefined;
  /** Records sign-ins and failures. */
  readonly audit?: Audit;
  /** The path of the callbacks; the provider's id is appended. @default {"/auth/callback/"} */
  readonly callbackPath?: string;
  /**
   * Origins whose pages a sign-in may return to, besides this site: `https://app.example.com`. Rules
   * that are not exact origins are ignored. @default {[]}
   */
  readonly returnOrigins?: readonly string[];
  /** Tells the time. @default {systemClock} */
  readonly clock?: Clock;
}
