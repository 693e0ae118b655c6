import * as oauth from "oauth4webapi";
import { type Clock, systemClock } from "../../core/clock.ts";
import { cleanText } from "../_clean_text.ts";
import { checkIssuer, nameAt, subjectAt } from "../_identity.ts";
import { SignInError } from "../errors.ts";
import type { ProviderProfile } from "../users/user.ts";
import {
  type BackChannelOptions,
  boundedFetch,
  type FetchFunction,
  isInsecure,
} from "./back_channel.ts";
import {
  authorizationUrl,
  callOptions,
  type CodeFlow,
  exchangeCode,
  fromBackChannel,
} from "./_code_flow.ts";
import type { AuthorizationAnswer, AuthorizationRequest, Provider } from "./provider.ts";

/** How long provider metadata is cached, in milliseconds. */
const DISCOVERY_TTL_MS = 3_600_000;

/** Options of {@linkcode OidcProvider}. */
export interface OidcOptions extends BackChannelOptions {
  /** The id of the provider, part of the callback path. @default {"oidc"} */
  readonly id?: string;
  /** The name that users see. @default {the issuer's host} */
  readonly name?: string;
  /**
   * The issuer identifier: the URL whose metadata describes the provider. Must equal the `issuer`
   * in that metadata character by character, including a trailing slash.
   */
  readonly issuer: string;
  /** The client id at the provider. */
  readonly clientId: string;
  /** Omit it for a public client. */
  readonly clientSecret?: string | undefined;
  /**
   * Whether users are identified by `sub` only, rather than by issuer and `sub`.
   *
   * *Security*: only for an issuer that no setting can change.
   *
   * @default {false}
   */
  readonly subjectAlone?: boolean;
}

/**
 * Sign-in with any OpenID Connect provider, by discovery (OpenID Connect Discovery 1.0).
 *
 * Provider metadata is read at the first sign-in and cached for an hour; failures are not cached.
 * The ID token is checked for signature, issuer, audience, lifetime and nonce. If it has no name,
 * the userinfo endpoint is queried as well; if that fails, the ID token is enough.
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
  readonly #fetch: FetchFunction;
  readonly #clock: Clock;
  #discovery: { flow: Promise<CodeFlow>; until: number } | undefined;

  /**
   * Creates the provider; its metadata is read at the first sign-in.
   *
   * @throws {RangeError} The issuer is neither https nor http on this machine, has white space, or
   * exceeds 1,000 bytes.
   */
  constructor(options: OidcOptions) {
    checkIssuer(options.issuer);
    this.#issuer = new URL(options.issuer);
    isInsecure(this.#issuer);
    this.id = options.id ?? "oidc";
    this.name = options.name ?? this.#issuer.host;
    this.#options = options;
    this.#fetch = boundedFetch(options);
    this.#clock = options.clock ?? systemClock;
  }

  /** Returns the `sub` of a user, from the `subject` of a profile; undefined for another issuer. */
  static subOf(subject: string, issuer: string): string | undefined {
    return nameAt(issuer, subject);
  }

  async authorizationUrl(request: AuthorizationRequest): Promise<URL> {
    return await authorizationUrl(await this.#flow(), request);
  }

  async profile(answer: AuthorizationAnswer): Promise<ProviderProfile> {
    const flow = await this.#flow();
    const tokens = await exchangeCode(flow, answer);
    const idToken = oauth.getValidatedIdTokenClaims(tokens)!;
    const userInfo = isThin(idToken) && flow.server.userinfo_endpoint
      ? await readUserInfo(flow, tokens.access_token, idToken.sub)
      : {};
    const claim = (name: string) => textOf(userInfo[name]) ?? textOf(idToken[name]);
    const { subjectAlone } = this.#options;
    return {
      provider: this.id,
      subject: subjectAt(subjectAlone ? undefined : flow.server.issuer, idToken.sub),
      login: claim("preferred_username") ?? claim("nickname") ??
        textOf(claim("email")?.split("@")[0]) ?? claim("name"),
      name: claim("name"),
      avatarUrl: claim("picture"),
    };
  }

  #flow(): Promise<CodeFlow> {
    const now = this.#clock.elapsed();
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
      await checkName(this.#options.issuer, response);
      const server = await oauth.processDiscoveryResponse(this.#issuer, response);
      if (!server.authorization_endpoint || !server.token_endpoint) {
        throw new Error("The provider's metadata has no endpoints for the code flow");
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
    // If a provider supports a single algorithm, it signs with that one.
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

function isThin({ preferred_username, nickname, name }: Claims): boolean {
  const login = textOf(preferred_username) ?? textOf(nickname);
  return login === undefined || textOf(name) === undefined;
}

/** Checks that the issuer in the metadata equals the setting: oauth4webapi ignores a trailing slash. */
async function checkName(issuer: string, response: Response): Promise<void> {
  const document: unknown = await response.clone().json().catch(() => undefined);
  const { issuer: name } = (document ?? {}) as Claims;
  if (typeof name !== "string" || name === issuer) return;
  const [theirs, ours] = [name.slice(0, 200), issuer].map((each) => JSON.stringify(each));
  const message = `The provider's issuer is ${theirs}, but the configured issuer is ${ours}`;
  throw new SignInError("PROVIDER_UNAVAILABLE", { cause: new Error(message) });
}

/**
 * Returns the claims of the userinfo endpoint, or none if the response is not valid: all of them
 * are for display only.
 *
 * @throws {SignInError} `PROVIDER_UNAVAILABLE`: the claims are about another user.
 */
async function readUserInfo(flow: CodeFlow, accessToken: string, subject: string): Promise<Claims> {
  const { client } = flow;
  // Without algorithms for signed userinfo responses, those of ID tokens apply.
  const algorithms = flow.server.id_token_signing_alg_values_supported;
  const server = {
    ...(algorithms && { userinfo_signing_alg_values_supported: algorithms }),
    ...flow.server,
  };
  try {
    const response = await oauth.userInfoRequest(server, client, accessToken, callOptions(flow));
    const claims = await oauth.processUserInfoResponse(server, client, subject, response);
    if (/^application\/jwt\b/i.test(response.headers.get("content-type") ?? "")) {
      await oauth.validateApplicationLevelSignature(server, response, callOptions(flow));
    }
    return claims;
  } catch (error) {
    const isOther = error instanceof oauth.OperationProcessingError &&
      error.code === oauth.JSON_ATTRIBUTE_COMPARISON;
    if (isOther) throw fromBackChannel(error);
    return {};
  }
}

/** Returns a claim if it has visible text. */
function textOf(claim: unknown): string | undefined {
  return typeof claim === "string" && cleanText(claim, 1) !== "" ? claim : undefined;
}
