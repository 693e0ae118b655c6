import type { Sessions } from "@sluice/sluice";
import { DevIdentity, DevProvider } from "@sluice/sluice/auth/dev";
import type { Log } from "@sluice/sluice/server";
import {
  type Audit,
  GitHubProvider,
  OidcProvider,
  type Provider,
  SignIn,
  type UserStore,
} from "@sluice/sluice/auth";
import type { Database } from "../database.ts";
import type { AttemptLimiter } from "../limits.ts";
import type { Settings } from "../settings/settings.ts";

/** The services that sign-in uses. */
export interface SignInParts {
  readonly settings: Settings;
  readonly sessions: Sessions;
  readonly users: UserStore;
  readonly database: Database;
  readonly log: Log;
  readonly audit: Audit;
  /** Limits attempts per address. */
  readonly attempts: AttemptLimiter | undefined;
}

/** Sign-in with the configured providers, and the development provider if it is on. */
export interface AppSignIn {
  readonly signIn: SignIn;
  readonly devIdentity: DevIdentity | undefined;
}

/** Creates the sign-in with its providers. */
export function createSignIn(parts: SignInParts): AppSignIn {
  const { settings, sessions, users, database, log, audit, attempts } = parts;
  const { github, oidc } = settings;
  const { kv, clock } = database;
  const devIdentity = settings.devSignIn ? new DevIdentity({ log, kv }) : undefined;
  const providers: Provider[] = [];
  if (github !== undefined) providers.push(new GitHubProvider(github));
  if (oidc !== undefined) providers.push(new OidcProvider(oidc));
  if (devIdentity !== undefined) providers.push(new DevProvider(devIdentity));
  const returnOrigins = settings.allowedOrigins;
  const options = { kv, log, clock, audit, attempts, returnOrigins };
  const signIn = new SignIn({ providers, users, sessions }, options);
  return { signIn, devIdentity };
}
