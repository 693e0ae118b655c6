import { type Clock, type Log, systemClock } from "../scope.ts";
import {
  deletedSessionCookie,
  hashSecret,
  isSecret,
  isSecure,
  matchesHash,
  randomSecret,
  sessionCookie,
  type Sessions,
  sessionTokenOf,
} from "../sessions/mod.ts";
import type { Audit } from "./audit.ts";
import { browserCookie, browserSecretOf, TRANSACTION_TTL_MS } from "./_browser_cookie.ts";
import { SignInError } from "./errors.ts";
import type { Provider } from "./providers/provider.ts";
import { safeReturnTo } from "./return_to.ts";
import type { Transaction, TransactionStore } from "./transactions.ts";
import type { Profile } from "./user.ts";
import type { UserStore } from "./user_store.ts";

const MAX_LOGIN_HINT_LENGTH = 256;

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

/** A request, as far as signing in needs to know it. */
export interface SignInRequest {
  /** The address as people see it: behind a proxy the public one. */
  readonly url: URL;
  readonly headers: Headers;
  /** The client's address, for the list of sessions. */
  readonly address?: string | undefined;
}

/**
 * Sign-in and sign-out with OAuth 2.0 and OpenID Connect: authorization code, PKCE, `state`, and
 * what goes with them.
 *
 * *Security*: a transaction is good for ten minutes, once, for the browser, the provider and the
 * callback address that it was begun with. The browser is known by a cookie with a random secret
 * that all its tabs share; the database has a hash of it. A session always begins with a new id,
 * and the browser's old one is ended. Log lines hold no code, state, verifier or token.
 *
 * @example
 * ```ts
 * import {
 *   GitHubProvider,
 *   MemoryTransactionStore,
 *   MemoryUserStore,
 *   SignIn,
 * } from "@sluice/sluice/auth";
 * import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * const signIn = new SignIn({
 *   providers: [new GitHubProvider({ clientId: "id", clientSecret: "secret" })],
 *   transactions: new MemoryTransactionStore(),
 *   users: new MemoryUserStore(),
 *   sessions: new Sessions(new MemorySessionStore(), { log: console }),
 *   log: console,
 * });
 * const url = new URL("https://app.example.com/auth/signin?return_to=/rooms/lobby");
 * const response = await signIn.begin({ url, headers: new Headers() });
 * assert.equal(response.status, 302);
 * assert.match(response.headers.get("location")!, /^https:\/\/github.com\/login\/oauth\/authorize/);
 * ```
 */
export class SignIn {
  /** The ways to sign in, in the order in which they were given. */
  readonly providers: readonly Provider[];
  readonly #options: SignInOptions;
  readonly #clock: Clock;
  readonly #log: Log;

  /** @throws {TypeError} Two providers have the same id. */
  constructor(options: SignInOptions) {
    const ids = new Set(options.providers.map((provider) => provider.id));
    if (ids.size < options.providers.length) {
      throw new TypeError("Cannot sign in: two providers have the same id");
    }
    this.providers = options.providers;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log;
  }

  /**
   * Sends a person to a provider: 302. Reads `provider` (needed where there are several),
   * `return_to` and `login_hint` from the query.
   *
   * @throws {SignInError} `UNKNOWN_PROVIDER`, `PROVIDER_UNAVAILABLE` or `UNAVAILABLE`.
   */
  async begin(request: SignInRequest): Promise<Response> {
    const { url } = request;
    const returnTo = safeReturnTo(url.searchParams.get("return_to"), url.origin);
    const id = url.searchParams.get("provider");
    const known: Known = { provider: id ?? undefined, returnTo, address: request.address };
    return await this.#reporting(known, async () => {
      this.#takeAttempt(request);
      const provider = this.#provider(id);
      known.provider = provider.id;
      const browser = browserSecretOf(request) ?? randomSecret();
      const state = randomSecret();
      const transaction: Transaction = {
        key: hashSecret(state),
        provider: provider.id,
        redirectUri: this.#redirectUri(url, provider),
        returnTo,
        browserHash: hashSecret(browser),
        nonce: randomSecret(),
        codeVerifier: randomSecret(),
        expiresAt: this.#clock.now() + TRANSACTION_TTL_MS,
      };
      const loginHint = loginHintOf(url);
      const target = await provider.authorizationUrl({ ...transaction, state, loginHint });
      await ours(this.#options.transactions.create(transaction));
      return redirect(302, target.href, [browserCookie(browser, isSecure(url))]);
    });
  }

  /**
   * Ends what {@linkcode begin} began, at a provider's callback: 303 to where the person wanted to
   * go, with the cookie of a new session.
   *
   * @throws {SignInError} Any code.
   */
  async finish(request: SignInRequest, providerId: string): Promise<Response> {
    const { address } = request;
    const known: Known = { provider: providerId, returnTo: undefined, address };
    return await this.#reporting(known, async () => {
      this.#takeAttempt(request);
      const provider = this.#provider(providerId);
      const state = stateOf(request.url);
      const transaction = await ours(this.#options.transactions.consume(hashSecret(state)));
      this.#check(transaction, request, provider);
      known.returnTo = transaction.returnTo;
      const parameters = request.url.searchParams;
      const profile = await provider.profile({ ...transaction, parameters, state });
      const cookie = await this.#signIn(request, profile);
      return redirect(303, transaction.returnTo, [cookie]);
    });
  }

  /**
   * Ends the session of a browser, and with it every connection of it: 303 to `/`, with the cookie
   * taken away. The same where there is no session.
   *
   * *Security*: only for `POST` from this site itself, which the route checks.
   *
   * @throws {SignInError} `UNAVAILABLE`: then the session is not over.
   */
  async signOut(request: SignInRequest): Promise<Response> {
    return await this.#reporting({}, async () => {
      await ours(this.#endSession(request, "signed-out"));
      return redirect(303, "/", [deletedSessionCookie(isSecure(request.url))]);
    });
  }

  #takeAttempt({ address }: SignInRequest): void {
    if (address === undefined) return;
    const retryAfterSeconds = this.#options.attempts?.take(address);
    if (retryAfterSeconds === undefined) return;
    throw new SignInError("TOO_MANY_ATTEMPTS", { retryAfterSeconds });
  }

  #provider(id: string | null): Provider {
    const provider = id === null && this.providers.length === 1
      ? this.providers[0]
      : this.providers.find((each) => each.id === id);
    if (!provider) throw new SignInError("UNKNOWN_PROVIDER");
    return provider;
  }

  #redirectUri(url: URL, provider: Provider): string {
    const path = this.#options.callbackPath ?? "/auth/callback/";
    return new URL(path + encodeURIComponent(provider.id), url.origin).href;
  }

  #check(
    transaction: Transaction | undefined,
    request: SignInRequest,
    provider: Provider,
  ): asserts transaction is Transaction {
    const browser = browserSecretOf(request);
    const valid = transaction !== undefined && browser !== undefined &&
      matchesHash(browser, transaction.browserHash) &&
      transaction.provider === provider.id &&
      transaction.redirectUri === this.#redirectUri(request.url, provider) &&
      this.#clock.now() < transaction.expiresAt;
    if (!valid) throw new SignInError("TRANSACTION_INVALID");
  }

  async #signIn(request: SignInRequest, profile: Profile): Promise<string> {
    const { sessions } = this.#options;
    const user = await ours(this.#options.users.save(profile));
    if (user.bannedAt !== undefined) throw new SignInError("BANNED");
    const { session, token } = await ours(sessions.create({
      userId: user.id,
      provider: profile.provider,
      userAgent: request.headers.get("user-agent") ?? "",
      address: request.address,
    }));
    await ours(this.#endSession(request, "replaced"));
    this.#log.info("signed in", { user: user.id, provider: user.provider, session: session.id });
    const { provider } = user;
    const { address } = session;
    this.#options.audit?.write({
      kind: "signed-in",
      userId: user.id,
      sessionId: session.id,
      provider,
      address,
    });
    const options = {
      secure: isSecure(request.url),
      maxAgeSeconds: sessions.cookieMaxAgeSeconds,
    };
    return sessionCookie(token, options);
  }

  async #endSession(request: SignInRequest, reason: "signed-out" | "replaced"): Promise<void> {
    const { sessions } = this.#options;
    const token = sessionTokenOf(request.headers, { secure: isSecure(request.url) });
    const found = await sessions.find(token);
    if (found.state === "live") await sessions.end(found.session.id, reason);
  }

  async #reporting(known: Known, work: () => Promise<Response>): Promise<Response> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      const { code, status, cause } = error;
      const provider = this.providers.find((each) => each.id === known.provider)?.id;
      this.#log.warn("sign-in failed", { code, status, provider, cause: describe(cause) });
      const { address } = known;
      this.#options.audit?.write({ kind: "sign-in-failed", code, provider, address });
      throw error.with({ provider, returnTo: known.returnTo });
    }
  }
}

interface Known {
  provider?: string | undefined;
  returnTo?: string | undefined;
  readonly address?: string | undefined;
}

/** Says that it is our own database that cannot be reached. */
async function ours<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    // A subject that cannot be stored is the provider's fault.
    throw new SignInError(cause instanceof RangeError ? "PROFILE_INCOMPLETE" : "UNAVAILABLE", {
      cause,
    });
  }
}

/** An error's name and message: what else oauth4webapi's errors hold may be secret. */
function describe(cause: unknown): string | undefined {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined;
}

function stateOf(url: URL): string {
  const state = url.searchParams.get("state");
  if (!state) throw new SignInError("STATE_MISSING");
  if (!isSecret(state)) throw new SignInError("TRANSACTION_INVALID");
  return state;
}

function loginHintOf(url: URL): string | undefined {
  return url.searchParams.get("login_hint")?.slice(0, MAX_LOGIN_HINT_LENGTH) || undefined;
}

function redirect(status: 302 | 303, location: string, cookies: readonly string[]): Response {
  const headers = new Headers({
    location,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(null, { status, headers });
}
