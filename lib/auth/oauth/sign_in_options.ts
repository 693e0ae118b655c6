import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Sessions } from "../../sessions/mod.ts";
import type { Audit } from "../audit/audit.ts";
import type { Provider } from "../providers/provider.ts";
import type { TransactionStore } from "./transactions.ts";
import type { UserStore } from "../users/user_store.ts";

/** Options of {@linkcode SignIn}. */
export interface SignInOptions {
  readonly providers: readonly Provider[];
  readonly transactions: TransactionStore;
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly log: Log;
  /**
   * Limits attempts per address; each step of a sign-in counts. `take()` returns undefined, or how
   * long to wait, in seconds. @default {no limit}
   */
  readonly attempts?: { take(address: string): number | undefined };
  /** Records sign-ins and failures. */
  readonly audit?: Audit;
  /** The path of the callbacks; the provider's id is appended. @default {"/auth/callback/"} */
  readonly callbackPath?: string;
  /** @default {systemClock} */
  readonly clock?: Clock;
}
