import * as oauth from "oauth4webapi";
import { type Clock, systemClock } from "../../scope.ts";
import { SignInError } from "../errors.ts";
import type { Profile } from "../user.ts";
import { type BackChannelOptions, boundedFetch, type Fetch, isInsecure } from "./_back_channel.ts";
import {
  authorizationUrl,
  callOptions,
  type CodeFlow,
  exchangeCode,
  fromBackChannel,
} from "./_code_flow.ts";
import type { AuthorizationAnswer, AuthorizationRequest, Provider } from "./provider.ts";

/** How long what a provider says of itself is believed, in milliseconds. */
const DISCOVERY_TTL_MS = 3_600_000;

/** How to reach an OpenID Connect provider, and as whom. */
export interface OidcOptions extends BackChannelOptions {
  /** @default {"oidc"} */
  readonly id?: string;
  /** @default {the issuer's host} */
  readonly name?: string;
  /** The provider's own name: an address under which it describes itself. */
  readonly issuer: string;
  readonly clientId: string;
  /** Left out by a client that is not confidential. */
  readonly clientSecret?: string | undefined;
  /**
   * Whether people are told apart by `sub` alone, rather than by issuer and `sub`.
   *
   * *Security*: only for an issuer that no setting changes.
   *
   * @default {false}
   */
  readonly subjectAlone?: boolean;
}

/**
 * Sign-in with any OpenID Connect provider, by discovery (OpenID Connect Discovery 1.0).
 *
 * What the provider says of itself is read at the first sign-in and kept for an hour; a failure is
 * not kept. The ID token is checked for signature, issuer, audience, lifetime and nonce.
 *
 * @example
 * ```ts
 * import { OidcProvider } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const provider = new OidcProvider({ issuer: "https://id.example.com", clientId: "sluice" });
 * assert.equal(provider.name, "id.example.com");
 * ```
 */
export class OidcProvider implements Provider {
  readonly id: string;
  readonly name: string;
  readonly #issuer: URL;
  readonly #options: OidcOptions;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  #discovery: { flow: Promise<CodeFlow>; until: number } | undefined;

  /** @throws {RangeError} The issuer is neither https nor http on this machine. */
  constructor(options: OidcOptions) {
    this.#issuer = new URL(options.issuer);
    isInsecure(this.#issuer);
    this.id = options.id ?? "oidc";
    this.name = options.name ?? this.#issuer.host;
    this.#options = options;
    this.#fetch = boundedFetch(options);
    this.#clock = options.clock ?? systemClock;
  }

  async authorizationUrl(request: AuthorizationRequest): Promise<URL> {
    return await authorizationUrl(await this.#flow(), request);
  }

  async profile(answer: AuthorizationAnswer): Promise<Profile> {
    const flow = await this.#flow();
    const tokens = await exchangeCode(flow, answer);
    const idToken = oauth.getValidatedIdTokenClaims(tokens)!;
    const claims = isThin(idToken) && flow.server.userinfo_endpoint
      ? { ...idToken, ...await readUserInfo(flow, tokens.access_token, idToken.sub) }
      : idToken;
    const login = loginOf(claims);
    if (!idToken.sub || login === undefined) throw new SignInError("PROFILE_INCOMPLETE");
    return {
      provider: this.id,
      subject: this.#options.subjectAlone ? idToken.sub : `${flow.server.issuer} ${idToken.sub}`,
      login,
      name: textOf(claims.name),
      avatarUrl: textOf(claims.picture),
    };
  }

  #flow(): Promise<CodeFlow> {
    const now = this.#clock.now();
    if (this.#discovery && now < this.#discovery.until) return this.#discovery.flow;
    const discovery = { flow: this.#discover(), until: now + DISCOVERY_TTL_MS };
    this.#discovery = discovery;
    discovery.flow.catch(() => {
      if (this.#discovery === discovery) this.#discovery = undefined;
    });
    return discovery.flow;
  }

  async #discover(): Promise<CodeFlow> {
    const insecure = isInsecure(this.#issuer);
    const call = { fetch: this.#fetch, insecure };
    try {
      const response = await oauth.discoveryRequest(this.#issuer, callOptions(call));
      const server = await oauth.processDiscoveryResponse(this.#issuer, response);
      if (!server.authorization_endpoint || !server.token_endpoint) {
        throw new Error("The provider names no endpoints for the code flow");
      }
      return {
        server,
        client: this.#client(server),
        clientAuth: clientAuth(server, this.#options.clientSecret),
        scope: "openid profile email",
        openId: true,
        ...call,
      };
    } catch (error) {
      throw fromBackChannel(error);
    }
  }

  #client(server: oauth.AuthorizationServer): oauth.Client {
    const algorithms = server.id_token_signing_alg_values_supported;
    // Where a provider offers one algorithm alone, that is the one it signs with.
    return algorithms?.length === 1
      ? { client_id: this.#options.clientId, id_token_signed_response_alg: algorithms[0]! }
      : { client_id: this.#options.clientId };
  }
}

function clientAuth(server: oauth.AuthorizationServer, secret: string | undefined) {
  if (!secret) return oauth.None();
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  return methods.includes("client_secret_basic")
    ? oauth.ClientSecretBasic(secret)
    : oauth.ClientSecretPost(secret);
}

type Claims = Readonly<Record<string, unknown>>;

function isThin(claims: Claims): boolean {
  return !textOf(claims.preferred_username ?? claims.nickname) || !textOf(claims.name);
}

async function readUserInfo(flow: CodeFlow, accessToken: string, subject: string): Promise<Claims> {
  try {
    const { server, client } = flow;
    const response = await oauth.userInfoRequest(server, client, accessToken, callOptions(flow));
    return await oauth.processUserInfoResponse(server, client, subject, response);
  } catch (error) {
    throw fromBackChannel(error);
  }
}

function loginOf(claims: Claims): string | undefined {
  return textOf(claims.preferred_username) ?? textOf(claims.nickname) ??
    textOf(textOf(claims.email)?.split("@")[0]) ?? textOf(claims.name);
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === "string" && claim.trim() !== "" ? claim : undefined;
}
