import { type Clock, systemClock } from "../../core/clock.ts";
import { consoleLog } from "../../core/log.ts";
import { bearerToken, isSecure } from "../../sessions/credential.ts";
import { deletedSessionCookie, sessionCookie } from "../../sessions/cookie.ts";
import { hashSecret, matchesHash, randomSecret } from "../../sessions/tokens/secrets.ts";
import {
  browserCookies,
  browserSecretOf,
  endedBrowserCookie,
  TRANSACTION_TTL_MS,
} from "./_browser_cookie.ts";
import { beginBrowserSession, sessionOf } from "./_browser_session.ts";
import { answer, prefersNoRedirect, redirect } from "./_responses.ts";
import { checkNavigation, isFromAnotherSite } from "./_navigation.ts";
import { type Attempt, SignInReports } from "./_sign_in_reports.ts";
import { SignInError } from "../errors.ts";
import type { Provider } from "../providers/provider.ts";
import { safeReturnTo } from "./return_to.ts";
import type { SignInOptions, SignInParts } from "./sign_in_options.ts";
import { loginHintOf, type SignInRequest, stateOf } from "./sign_in_request.ts";
import { transactionStore } from "./kv_transaction_store.ts";
import type { OAuthTransaction, TransactionStore } from "./transactions.ts";
import type { ProviderProfile } from "../users/user.ts";

/**
 * Sign-in and sign-out with OAuth 2.0 and OpenID Connect: the authorization code flow with PKCE and
 * `state`.
 *
 * *Security*: a transaction is valid for ten minutes and for one use, with the browser, the
 * provider and the callback URL that it was begun with; any other callback leaves it as it is. A
 * cookie with a random secret identifies
 * the browser, one for each of its ten pending sign-ins at most; the database holds a hash of the
 * secret. If the browser has a session of another user, that session ends; a session of the same
 * user gets a new secret. Only top-level navigations are accepted. A page of another site cannot
 * replace a live session. Log lines hold no code, state, verifier or token.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { GitHubProvider, SignIn } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const signIn = new SignIn({
 *   providers: [new GitHubProvider({ clientId: "id", clientSecret: "secret" })],
 *   users: new MemoryUserStore(),
 *   sessions: new Sessions(new MemorySessionStore()),
 * });
 * const url = new URL("https://app.example.com/auth/signin?return_to=/rooms/lobby");
 * const response = await signIn.begin({ url, headers: new Headers() });
 * assert.equal(response.status, 302);
 * assert.match(response.headers.get("location")!, /^https:\/\/github.com\/login\/oauth\/authorize/);
 * ```
 */
export class SignIn {
  /** The providers, in the order given. */
  readonly providers: readonly Provider[];
  readonly #parts: SignInParts;
  readonly #options: SignInOptions;
  readonly #transactions: TransactionStore;
  readonly #clock: Clock;
  readonly #reports: SignInReports;

  /**
   * Creates the sign-in; no provider is contacted yet.
   *
   * @throws {TypeError} Two providers have the same id.
   */
  constructor(parts: SignInParts, options: SignInOptions = {}) {
    const { providers } = parts;
    const ids = new Set(providers.map((provider) => provider.id));
    if (ids.size < providers.length) {
      throw new TypeError("Cannot set up sign-in: two providers have the same id");
    }
    const { log = consoleLog, audit, clock = systemClock } = options;
    this.providers = providers;
    this.#parts = parts;
    this.#options = options;
    this.#transactions = transactionStore(options.kv, clock);
    this.#clock = clock;
    this.#reports = new SignInReports({ providers, audit, log });
  }

  /** Returns where a sign-in at this URL leads: its `return_to` if sign-in accepts it, else `/`. */
  returnTo({ origin, searchParams }: URL): string {
    return safeReturnTo(searchParams.get("return_to"), origin, this.#options.returnOrigins);
  }

  /**
   * Redirects the browser to a provider: 302. Reads `provider` (required if there are several),
   * `return_to` and `login_hint` from the query.
   *
   * @throws {SignInError} `NOT_A_NAVIGATION`, `ALREADY_SIGNED_IN`, `TOO_MANY_ATTEMPTS`,
   * `UNKNOWN_PROVIDER`, `LOCAL_ONLY`, `PROVIDER_UNAVAILABLE` or `UNAVAILABLE`.
   */
  async begin(request: SignInRequest): Promise<Response> {
    const { url } = request;
    const returnTo = this.returnTo(url);
    const id = url.searchParams.get("provider");
    const attempt: Attempt = { providerId: id, returnTo, address: request.address };
    return await this.#reports.of(attempt, async () => {
      checkNavigation(request);
      const provider = this.#provider(id, request);
      attempt.providerId = provider.id;
      await this.#checkSession(request);
      this.#takeAttempt(request);
      const browser = randomSecret();
      const state = randomSecret();
      const transaction: OAuthTransaction = {
        key: hashSecret(state),
        provider: provider.id,
        redirectUri: this.#redirectUri(url, provider),
        returnTo,
        browserHash: hashSecret(browser),
        nonce: randomSecret(),
        codeVerifier: randomSecret(),
        expiresAt: this.#clock.now() + TRANSACTION_TTL_MS,
      };
      const { key } = transaction;
      const loginHint = loginHintOf(url);
      const target = await provider.authorizationUrl({ ...transaction, state, loginHint });
      await orUnavailable(this.#transactions.create(transaction));
      const begun = { key, secret: browser, now: this.#clock.now() };
      return redirect(302, target.href, browserCookies(request, begun));
    });
  }

  /**
   * Completes a sign-in at the provider's callback: 303 to the page that the user wanted, with the
   * cookie of a new session.
   *
   * @throws {SignInError} Any code.
   */
  async finish(request: SignInRequest, providerId: string): Promise<Response> {
    const attempt: Attempt = { providerId, address: request.address };
    return await this.#reports.of(attempt, async () => {
      checkNavigation(request);
      this.#takeAttempt(request);
      const provider = this.#provider(providerId, request);
      const state = stateOf(request.url);
      const isValid = (found: OAuthTransaction) => this.#isValid(found, request, provider);
      const transaction = await orUnavailable(
        this.#transactions.consume(hashSecret(state), isValid),
      );
      if (transaction === undefined) throw new SignInError("TRANSACTION_INVALID");
      attempt.returnTo = transaction.returnTo;
      const parameters = request.url.searchParams;
      const profile = await provider.profile({ ...transaction, parameters, state });
      const cookie = await this.#signIn(request, profile, attempt);
      const ended = endedBrowserCookie(request, transaction.key);
      return redirect(303, transaction.returnTo, [cookie, ended]);
    });
  }

  /**
   * Ends the request's session and all its connections: 303 to `/`, or 204 if the request accepts
   * JSON or is from a script of another origin, which could not follow. The response is the same
   * without a session. The session cookie is deleted, except if the
   * request has a bearer token: its cookie was ignored.
   *
   * *Security*: only for `POST` from this site or an allowed origin, which the route must check.
   *
   * @throws {SignInError} `UNAVAILABLE`: the session has not ended.
   */
  async signOut(request: SignInRequest): Promise<Response> {
    return await this.#reports.of({}, async () => {
      await orUnavailable(this.#endSession(request));
      const isBrowser = bearerToken(request.headers) === undefined;
      const cookies = isBrowser ? [deletedSessionCookie(isSecure(request.url))] : [];
      return prefersNoRedirect(request) ? answer(204, {}, cookies) : redirect(303, "/", cookies);
    });
  }

  /**
   * Refuses a signed-in browser that another site sent here. A provider that does not prompt would
   * let that site replace the user's account with another one.
   */
  async #checkSession(request: SignInRequest): Promise<void> {
    if (!isFromAnotherSite(request.headers)) return;
    const session = await orUnavailable(sessionOf(this.#parts.sessions, request));
    if (session !== undefined) throw new SignInError("ALREADY_SIGNED_IN");
  }

  #takeAttempt({ address }: SignInRequest): void {
    if (address === undefined) return;
    const retryAfterSeconds = this.#options.attempts?.take(address);
    if (retryAfterSeconds === undefined) return;
    throw new SignInError("TOO_MANY_ATTEMPTS", { retryAfterSeconds });
  }

  #provider(id: string | null, request: SignInRequest): Provider {
    const provider = id === null && this.providers.length === 1
      ? this.providers[0]
      : this.providers.find((each) => each.id === id);
    if (!provider) throw new SignInError("UNKNOWN_PROVIDER");
    if (provider.accepts?.(request) === false) throw new SignInError("LOCAL_ONLY");
    return provider;
  }

  #redirectUri(url: URL, provider: Provider): string {
    const path = this.#options.callbackPath ?? "/auth/callback/";
    return new URL(path + encodeURIComponent(provider.id), url.origin).href;
  }

  /** Whether a transaction was begun by this browser for this callback, and has not expired. */
  #isValid(transaction: OAuthTransaction, request: SignInRequest, provider: Provider): boolean {
    const browser = browserSecretOf(request, transaction.key);
    return browser !== undefined && matchesHash(browser, transaction.browserHash) &&
      transaction.provider === provider.id &&
      transaction.redirectUri === this.#redirectUri(request.url, provider) &&
      this.#clock.now() < transaction.expiresAt;
  }

  async #signIn(
    request: SignInRequest,
    profile: ProviderProfile,
    attempt: Attempt,
  ): Promise<string> {
    const { sessions, users } = this.#parts;
    const user = await orUnavailable(users.save(profile));
    attempt.userId = user.id;
    if (user.bannedAt !== undefined) throw new SignInError("BANNED");
    const begun = await orUnavailable(beginBrowserSession({ sessions, users }, request, user));
    if (begun === undefined) throw new SignInError("BANNED");
    const { session, token } = begun;
    this.#reports.succeeded(session, user, request.address);
    const secure = isSecure(request.url);
    return sessionCookie(token, { secure, maxAgeSeconds: sessions.cookieMaxAgeSeconds });
  }

  async #endSession(request: SignInRequest): Promise<void> {
    const { sessions } = this.#parts;
    const session = await sessionOf(sessions, request);
    if (session !== undefined) await sessions.end(session.id, "signed-out");
  }
}

/** Maps a failed store call to a sign-in error. */
async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    // A subject that cannot be stored is an error of the provider.
    throw new SignInError(cause instanceof RangeError ? "PROFILE_INCOMPLETE" : "UNAVAILABLE", {
      cause,
    });
  }
}
