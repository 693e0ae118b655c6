import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { FetchFunction } from "../../../lib/auth/providers/back_channel.ts";

/** An OpenID Connect provider as a function, whose responses a test can change. */
export class OidcDouble {
  readonly issuer: string;
  /** Additional claims of the next ID token. */
  claims: Record<string, unknown> = { preferred_username: "ada", name: "Ada" };
  /** The claims of `/userinfo`. */
  userInfo: Record<string, unknown> = { sub: "sub-1" };
  /** Changes the next ID tokens. */
  spoil: (claims: Record<string, unknown>) => Record<string, unknown> = (claims) => claims;
  /** Changes the token response. */
  spoilTokens: (tokens: Record<string, unknown>) => Record<string, unknown> = (tokens) => tokens;
  /** Changes the discovery document. */
  metadata: Record<string, unknown> = {};
  /** Answers instead of the double. */
  override: ((url: URL) => Promise<Response> | Response | undefined) | undefined;
  /** Signs with a key that is not published. */
  forge = false;
  readonly requests: string[] = [];
  tokenRequest: { headers: Headers; form: URLSearchParams } | undefined;
  readonly #keys = Promise.all([generateKey(), generateKey()]);
  #nonce = "";
  #challenge = "";

  constructor(issuer = "https://id.example.com") {
    this.issuer = issuer;
  }

  /** Plays the user at the authorization endpoint; returns the callback's parameters. */
  authorize(address: string | URL, parameters: Record<string, string> = {}): string {
    const query = new URL(address).searchParams;
    this.#nonce = query.get("nonce") ?? "";
    this.#challenge = query.get("code_challenge") ?? "";
    const target = new URL(query.get("redirect_uri")!);
    const answer = { code: "double-code-1", state: query.get("state")!, ...parameters };
    for (const [name, value] of Object.entries(answer)) target.searchParams.set(name, value);
    return target.href;
  }

  /** The `fetch` option of the provider. */
  readonly fetch: FetchFunction = async (address, init) => {
    const url = new URL(address);
    this.requests.push(url.pathname);
    const other = await this.override?.(url);
    if (other) return other;
    // OpenID Connect Discovery, section 4: a trailing slash of the issuer is removed.
    const discovery = `${this.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    if (url.href === discovery) return this.#discovery();
    if (url.pathname === "/jwks") return await this.#jwks();
    if (url.pathname === "/token") return await this.#token(new Request(address, init));
    if (url.pathname === "/userinfo") return Response.json(this.userInfo);
    return new Response("not found", { status: 404 });
  };

  #discovery(): Response {
    return Response.json({
      issuer: this.issuer,
      authorization_endpoint: new URL("/authorize", this.issuer).href,
      token_endpoint: new URL("/token", this.issuer).href,
      userinfo_endpoint: new URL("/userinfo", this.issuer).href,
      jwks_uri: new URL("/jwks", this.issuer).href,
      id_token_signing_alg_values_supported: ["ES256"],
      ...this.metadata,
    });
  }

  async #jwks(): Promise<Response> {
    const [{ publicKey }] = await this.#keys;
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
    return Response.json({ keys: [{ kty, crv, x, y, alg: "ES256", use: "sig", kid: "k1" }] });
  }

  async #token(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    this.tokenRequest = { headers: request.headers, form };
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (form.get("code") !== "double-code-1" || challenge !== this.#challenge) {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    const now = Math.floor(Date.now() / 1000);
    const claims = this.spoil({
      iss: this.issuer,
      aud: "sluice",
      sub: "sub-1",
      iat: now,
      exp: now + 300,
      nonce: this.#nonce,
      ...this.claims,
    });
    return Response.json(this.spoilTokens({
      access_token: "double-secret-access",
      token_type: "Bearer",
      id_token: await this.sign(claims),
    }));
  }

  /** Returns a signed JWT. */
  async sign(claims: Record<string, unknown>): Promise<string> {
    const keys = await this.#keys;
    const { privateKey } = keys[this.forge ? 1 : 0];
    const text = `${encode({ alg: "ES256", kid: "k1" })}.${encode(claims)}`;
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    const signature = await crypto.subtle.sign(algorithm, privateKey, Buffer.from(text));
    return `${text}.${Buffer.from(signature).toString("base64url")}`;
  }
}

function generateKey(): Promise<CryptoKeyPair> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
