import * as oauth from "oauth4webapi";
import { SignInError } from "../errors.ts";
import type { Profile } from "../user.ts";
import { type BackChannelOptions, boundedFetch, type Fetch, isInsecure } from "./_back_channel.ts";
import { authorizationUrl, type CodeFlow, exchangeCode, fromBackChannel } from "./_code_flow.ts";
import type { AuthorizationAnswer, AuthorizationRequest, Provider } from "./provider.ts";

/** How to reach GitHub, and as whom. */
export interface GitHubOptions extends BackChannelOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** GitHub Enterprise Server, or a test double. @default {"https://github.com"} */
  readonly url?: string;
  /** @default {"https://api.github.com"} */
  readonly apiUrl?: string;
}

/**
 * Sign-in with GitHub, as a GitHub App or an OAuth App.
 *
 * A person is known by GitHub's numeric id, as logins change hands. Asks for no scope but
 * `read:user`; the access token is used for one call of `/user` and forgotten.
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

  /** @throws {RangeError} An address is neither https nor http on this machine. */
  constructor(options: GitHubOptions) {
    const url = baseOf(options.url ?? "https://github.com");
    const apiUrl = baseOf(options.apiUrl ?? "https://api.github.com");
    const insecure = [isInsecure(url), isInsecure(apiUrl)].includes(true);
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
      fetch: errorsAsErrors(boundedFetch(options)),
      insecure,
    };
  }

  authorizationUrl(request: AuthorizationRequest): Promise<URL> {
    // GitHub has a name of its own for `login_hint`, and ignores the standard one.
    return authorizationUrl(this.#flow, request).then((url) => {
      if (request.loginHint !== undefined) url.searchParams.set("login", request.loginHint);
      return url;
    });
  }

  async profile(answer: AuthorizationAnswer): Promise<Profile> {
    const tokens = await exchangeCode(this.#flow, answer);
    return toProfile(this.id, await this.#readUser(tokens.access_token));
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
      if (!response.ok) throw new SignInError("PROVIDER_UNAVAILABLE");
      return await response.json();
    } catch (error) {
      throw fromBackChannel(error);
    }
  }
}

function baseOf(address: string): URL {
  const url = new URL(address);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function toProfile(provider: string, user: unknown): Profile {
  const { id, login, name, avatar_url } = (user ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(id) || typeof login !== "string" || login === "") {
    throw new SignInError("PROFILE_INCOMPLETE");
  }
  return {
    provider,
    subject: String(id),
    login,
    name: typeof name === "string" ? name : undefined,
    avatarUrl: typeof avatar_url === "string" ? avatar_url : undefined,
  };
}

/** GitHub answers 200 where a code is refused; the standard, and oauth4webapi, want 400. */
function errorsAsErrors(fetch: Fetch): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (response.status !== 200) return response;
    const body: unknown = await response.clone().json().catch(() => undefined);
    const refused = typeof body === "object" && body !== null && "error" in body;
    return refused ? Response.json(body, { status: 400 }) : response;
  };
}
