import * as oauth from "oauth4webapi";
import { cleanText } from "../_clean_text.ts";
import { checkIssuer, nameAt, subjectAt } from "../_identity.ts";
import { SignInError } from "../errors.ts";
import type { ProviderProfile } from "../users/user.ts";
import { type BackChannelOptions, boundedFetch, isInsecure } from "./back_channel.ts";
import {
  authorizationUrl,
  type CodeFlow,
  errorIn,
  exchangeCode,
  fromBackChannel,
} from "./_code_flow.ts";
import type { AuthorizationAnswer, AuthorizationRequest, Provider } from "./provider.ts";

/** Options of {@linkcode GitHubProvider}. */
export interface GitHubOptions extends BackChannelOptions {
  /** The client id of the OAuth app. */
  readonly clientId: string;
  /** The client secret of the OAuth app. */
  readonly clientSecret: string;
  /** GitHub Enterprise Server, or a test double. @default {"https://github.com"} */
  readonly url?: string | undefined;
  /** URL of the API; for GitHub Enterprise, that of the server. @default {"https://api.github.com"} */
  readonly apiUrl?: string | undefined;
}

/**
 * Sign-in with GitHub, as a GitHub App or an OAuth App.
 *
 * A user is identified by GitHub's numeric id, because logins change hands, and also by the server
 * unless it is github.com. Requests only the scope `read:user`; the access token is used for one
 * request of `/user` and discarded.
 *
 * @example
 * ```ts
 * import { GitHubProvider } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const github = new GitHubProvider({ clientId: "id", clientSecret: "secret" });
 * assert.equal(github.id, "github");
 * ```
 */
export class GitHubProvider implements Provider {
  readonly id = "github";
  readonly name = "GitHub";
  readonly #flow: CodeFlow;
  readonly #userUrl: string;
  readonly #issuer: string | undefined;

  /**
   * Creates the provider; GitHub is not contacted yet.
   *
   * @throws {RangeError} A URL is neither https nor http on this machine, or too long.
   */
  constructor(options: GitHubOptions) {
    const url = baseOf(options.url ?? GITHUB_URL);
    const apiUrl = baseOf(options.apiUrl ?? GITHUB_API_URL);
    const insecure = [isInsecure(url), isInsecure(apiUrl)].includes(true);
    this.#issuer = gitHubIssuer(options);
    checkIssuer(this.#issuer ?? "");
    this.#userUrl = new URL("user", apiUrl).href;
    this.#flow = {
      server: {
        issuer: new URL("login/oauth", url).href,
        authorization_endpoint: new URL("login/oauth/authorize", url).href,
        token_endpoint: new URL("login/oauth/access_token", url).href,
      },
      client: { client_id: options.clientId },
      clientAuth: oauth.ClientSecretPost(options.clientSecret),
      scope: "read:user",
      openId: false,
      fetch: boundedFetch(options),
      insecure,
    };
  }

  /**
   * Returns GitHub's numeric id of a user, from the `subject` of a profile; undefined for a user of
   * another server.
   *
   * @param server The `url` and `apiUrl` of the provider's options.
   */
  static idOf(
    subject: string,
    server: { readonly url?: string | undefined; readonly apiUrl?: string | undefined } = {},
  ): string | undefined {
    return nameAt(gitHubIssuer(server), subject);
  }

  authorizationUrl(request: AuthorizationRequest): Promise<URL> {
    // GitHub's name for `login_hint` is `login`; it ignores the standard parameter.
    return authorizationUrl(this.#flow, request).then((url) => {
      if (request.loginHint !== undefined) url.searchParams.set("login", request.loginHint);
      return url;
    });
  }

  async profile(answer: AuthorizationAnswer): Promise<ProviderProfile> {
    const tokens = await exchangeCode(this.#flow, answer);
    return this.#toProfile(await this.#readUser(tokens.access_token));
  }

  async #readUser(accessToken: string): Promise<unknown> {
    const headers = {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${accessToken}`,
      "user-agent": "sluice",
      "x-github-api-version": "2022-11-28",
    };
    try {
      const response = await this.#flow.fetch(this.#userUrl, { headers, redirect: "manual" });
      const user: unknown = response.ok ? await response.json() : undefined;
      if (!response.ok || errorIn(user)) throw new SignInError("PROVIDER_UNAVAILABLE");
      return user;
    } catch (error) {
      throw fromBackChannel(error);
    }
  }

  #toProfile(user: unknown): ProviderProfile {
    const { id, login, name, avatar_url } = (user ?? {}) as Record<string, unknown>;
    if (!Number.isSafeInteger(id) || typeof login !== "string" || login === "") {
      throw new SignInError("PROFILE_INCOMPLETE");
    }
    return {
      provider: this.id,
      subject: subjectAt(this.#issuer, String(id)),
      login: shownLogin(login, id),
      name: typeof name === "string" ? name : undefined,
      avatarUrl: typeof avatar_url === "string" ? avatar_url : undefined,
    };
  }
}

const GITHUB_URL = "https://github.com";
const GITHUB_API_URL = "https://api.github.com";

/**
 * Returns the prefix of a GitHub server's ids in a subject: its URLs, or undefined for github.com.
 *
 * *Security*: different servers use the same ids.
 */
function gitHubIssuer(
  { url = GITHUB_URL, apiUrl = GITHUB_API_URL }: {
    readonly url?: string | undefined;
    readonly apiUrl?: string | undefined;
  },
): string | undefined {
  if (baseOf(url).origin === GITHUB_URL && baseOf(apiUrl).origin === GITHUB_API_URL) {
    return undefined;
  }
  return [...new Set([baseOf(url).href, baseOf(apiUrl).href])].join("|");
}

/**
 * Returns the login for display.
 *
 * *Security*: logins are compared with `ADMINS`. A login with characters that GitHub does not allow
 * could be cleaned into another user's login; the appended id keeps the two apart.
 */
function shownLogin(login: string, id: unknown): string {
  return /^[A-Za-z0-9_-]+$/.test(login) ? login : `${cleanText(login, 39)} (${id})`;
}

function baseOf(address: string): URL {
  const url = new URL(address);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}
