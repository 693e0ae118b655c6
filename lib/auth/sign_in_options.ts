import type { Clock, Log } from "../scope.ts";
import type { Sessions } from "../sessions/mod.ts";
import type { Audit } from "./audit.ts";
import type { Provider } from "./providers/provider.ts";
import type { TransactionStore } from "./transactions.ts";
import type { UserStore } from "./user_store.ts";

/** What {@linkcode SignIn} works with. */
export interface SignInOptions {
  readonly providers: readonly Provider[];
  readonly transactions: TransactionStore;
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly log: Log;
  /**
   * How often an address may try, each step of a sign-in counted: takes one, and returns undefined, or
   * what to wait, in seconds. @default {no limit}
   */
  readonly attempts?: { take(address: string): number | undefined };
  /** Where sign-ins and failures are noted. */
  readonly audit?: Audit;
  /** Where the callbacks are; a provider's id is put behind it. @default {"/auth/callback/"} */
  readonly callbackPath?: string;
  /** @default {systemClock} */
  readonly clock?: Clock;
}
