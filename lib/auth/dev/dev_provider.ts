import { readBody } from "../../core/read_body.ts";
import type { BackChannelOptions } from "../providers/back_channel.ts";
import { OidcProvider } from "../providers/oidc.ts";
import type { AuthorizationAnswer, AuthorizationRequest, Provider } from "../providers/provider.ts";
import type { SignInRequest } from "../oauth/sign_in_request.ts";
import type { ProviderProfile } from "../users/user.ts";
import { DEV_CLIENT_ID } from "./_issuer.ts";
import { isLocalRequest } from "./_local_request.ts";
import type { DevIdentity } from "./dev_identity.ts";

/** Most origins served at once. */
const MAX_ORIGINS = 8;

/**
 * Sign-in with a {@linkcode DevIdentity}, by the same code as any OpenID Connect provider. Calls to
 * it stay inside the process.
 *
 * *Security*: it accepts only requests from this machine, as {@linkcode DevIdentity} does.
 *
 * @example
 * ```ts
 * import { DevIdentity, DevProvider } from "@sluice/sluice/auth/dev";
 * import assert from "node:assert/strict";
 *
 * assert.equal(new DevProvider(new DevIdentity()).id, "dev");
 * ```
 */
export class DevProvider implements Provider {
  readonly id = "dev";
  readonly name = "a development identity";
  readonly #identity: DevIdentity;
  readonly #options: Pick<BackChannelOptions, "clock">;
  readonly #providers = new Map<string, OidcProvider>();

  /** Creates the provider of a development identity. */
  constructor(identity: DevIdentity, options: Pick<BackChannelOptions, "clock"> = {}) {
    this.#identity = identity;
    this.#options = options;
  }

  accepts(request: SignInRequest): boolean {
    return isLocalRequest(request);
  }

  async authorizationUrl(request: AuthorizationRequest): Promise<URL> {
    return await this.#provider(request.redirectUri).authorizationUrl(request);
  }

  async profile(answer: AuthorizationAnswer): Promise<ProviderProfile> {
    return await this.#provider(answer.redirectUri).profile(answer);
  }

  async answer(
    request: Request,
    peer: { readonly url: URL; readonly address: string },
  ): Promise<Response | undefined> {
    if (!peer.url.pathname.startsWith(`${this.#identity.path}/`)) return undefined;
    // The issuer has the origin that the browser sees, even behind a proxy.
    const { method, headers } = request;
    const body = method === "POST" ? { body: await readBody(request) } : {};
    const seen = new Request(peer.url, { method, headers, ...body });
    return await this.#identity.handle(seen, peer);
  }

  #provider(redirectUri: string): OidcProvider {
    const { origin } = new URL(redirectUri);
    const known = this.#providers.get(origin);
    if (known) return known;
    const [oldest] = this.#providers.keys();
    if (this.#providers.size >= MAX_ORIGINS && oldest) this.#providers.delete(oldest);
    const provider = new OidcProvider({
      ...this.#options,
      id: this.id,
      issuer: origin + this.#identity.path,
      clientId: DEV_CLIENT_ID,
      subjectAlone: true,
      fetch: (url, init) => this.#identity.answer(new Request(url, init)),
    });
    this.#providers.set(origin, provider);
    return provider;
  }
}
