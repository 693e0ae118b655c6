import type { Log } from "../../core/log.ts";
import type { Audit } from "../audit/audit.ts";
import { SignInError } from "../errors.ts";
import type { Session } from "../../sessions/mod.ts";
import type { User } from "../users/user.ts";
import type { Provider } from "../providers/provider.ts";

/** What is known about a sign-in so far. */
export interface Attempt {
  providerId?: string | null;
  returnTo?: string;
  /** The user, once the provider has identified them. */
  userId?: string;
  readonly address?: string | undefined;
}

/** Reports sign-ins to the audit log, and failed ones to the plain log if there is no audit log. */
export class SignInReports {
  readonly #providers: readonly Provider[];
  readonly #audit: Audit | undefined;
  readonly #log: Log;

  constructor(parts: { providers: readonly Provider[]; audit: Audit | undefined; log: Log }) {
    this.#providers = parts.providers;
    this.#audit = parts.audit;
    this.#log = parts.log;
  }

  /**
   * Runs a step of a sign-in. If it fails, reports the failure and adds the known context to the
   * error.
   */
  async of(attempt: Attempt, step: () => Promise<Response>): Promise<Response> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      const provider = this.#providers.find(({ id }) => id === attempt.providerId)?.id;
      this.#report(error, attempt, provider);
      throw error.with({ provider, returnTo: attempt.returnTo });
    }
  }

  /** Reports a successful sign-in. */
  succeeded({ id: sessionId }: Session, user: User, address: string | undefined): void {
    const { id: userId, provider, subject } = user;
    this.#log.info("signed in", { user: userId, provider, subject, session: sessionId });
    this.#audit?.write({ kind: "signed-in", userId, sessionId, provider, address });
  }

  #report(error: SignInError, { address, userId }: Attempt, provider: string | undefined): void {
    const { code, status } = error;
    const cause = describe(error.cause);
    if (this.#audit === undefined) {
      return this.#log.warn("sign-in failed", { code, status, provider, cause });
    }
    const event = { kind: "sign-in-failed", code, userId, provider, address } as const;
    this.#audit.write(event, { cause });
  }
}

/** Returns an error's name and message only: other fields of oauth4webapi's errors may hold secrets. */
function describe(cause: unknown): string | undefined {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined;
}
