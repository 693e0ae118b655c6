import type { Readable, Writable } from "node:stream";
import { DevAdapter } from "./_adapter.ts";
import { devUserOf } from "./_people.ts";
import type { KeyValue } from "../../kv/mod.ts";

/** The part of oidc-provider's `Provider` that is used here. */
export interface Issuer {
  callback(): (request: Readable, response: Writable) => Promise<void>;
  interactionDetails(request: Readable, response: Writable): Promise<Interaction>;
  /** Stores the result of an interaction and returns the URL to continue at. */
  interactionResult(
    request: Readable,
    response: Writable,
    result: unknown,
    options: { mergeWithLastSubmission: boolean },
  ): Promise<string>;
  on(event: string, listener: (...values: unknown[]) => void): void;
}

/** A pending prompt of the provider. */
interface Interaction {
  readonly params: { readonly login_hint?: unknown };
}

/** Options of {@linkcode createIssuer}. */
export interface IssuerOptions {
  /** The callback URL of its only client. */
  readonly callback: string;
  readonly kv: KeyValue | undefined;
}

/** Our client id at our own provider. */
export const DEV_CLIENT_ID = "sluice";

/** Lifetime of all data of a development sign-in, in seconds. */
const TTL_SECONDS = 600;

/**
 * Creates the identity provider of one origin with oidc-provider, which only this function loads.
 *
 * It prompts for an identity at every sign-in, because the bridge withholds its session cookie from
 * the browser, and never asks for consent. Without a database, it keeps at most 1,000 entries in
 * memory.
 */
export async function createIssuer(issuer: string, options: IssuerOptions): Promise<Issuer> {
  const { Provider } = await load();
  const settings = await configuration(issuer, options);
  const restore = quieten();
  try {
    const provider = new Provider(issuer, settings);
    // The browser gets the error as its response; no alert is needed.
    provider.on("error", () => {});
    return provider;
  } finally {
    restore();
  }
}

let loading: Promise<ProviderModule> | undefined;

function load(): Promise<ProviderModule> {
  if (loading) return loading;
  const restore = quieten();
  const loaded = import("oidc-provider") as unknown as Promise<ProviderModule>;
  loading = loaded.finally(restore);
  loading.catch(() => loading = undefined);
  return loading;
}

interface ProviderModule {
  readonly Provider: new (issuer: string, configuration: unknown) => Issuer;
}

async function configuration(
  issuer: string,
  { callback, kv }: IssuerOptions,
): Promise<unknown> {
  const { pathname } = new URL(issuer);
  return {
    adapter: kv && ((model: string) => new DevAdapter(kv, `${issuer} ${model}`)),
    clients: [{
      client_id: DEV_CLIENT_ID,
      token_endpoint_auth_method: "none",
      redirect_uris: [callback],
      id_token_signed_response_alg: "ES256",
    }],
    jwks: { keys: [await signingKey()] },
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: [] },
    conformIdTokenClaims: false,
    cookies: {
      names: { session: SESSION_COOKIE, interaction: "dev_choice", resume: "dev_resume" },
    },
    ttl: {
      AccessToken: TTL_SECONDS,
      AuthorizationCode: 60,
      Grant: TTL_SECONDS,
      IdToken: TTL_SECONDS,
      Interaction: TTL_SECONDS,
      Session: TTL_SECONDS,
    },
    interactions: {
      url: (_: unknown, { uid }: { uid: string }) => `${pathname}/interaction/${uid}`,
    },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => claimsOf(sub) }),
    loadExistingGrant,
    renderError: (context: { body: unknown; type: string }, out: { error: string }) => {
      context.type = "text";
      context.body = out.error;
    },
  };
}

/** The provider's own session cookie. The bridge never gives it to a browser. */
export const SESSION_COOKIE = "dev_session";

function claimsOf(sub: string) {
  const { login, name } = devUserOf(sub);
  return { sub, preferred_username: login, name };
}

interface GrantContext {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId?: string };
    readonly provider: { readonly Grant: new (of: unknown) => Grant };
    readonly params: { readonly scope?: string };
  };
}

interface Grant {
  addOIDCScope(scope: string): void;
  save(): Promise<string>;
}

/** Grants consent for the user: the client is our own application. */
async function loadExistingGrant({ oidc }: GrantContext): Promise<Grant | undefined> {
  const { accountId } = oidc.session;
  if (accountId === undefined) return undefined;
  const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId });
  grant.addOIDCScope(oidc.params.scope ?? "openid");
  await grant.save();
  return grant;
}

async function signingKey(): Promise<JsonWebKey> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { key_ops: _, ext: __, ...key } = await crypto.subtle.exportKey("jwk", privateKey);
  return { ...key, alg: "ES256", use: "sig" };
}

/**
 * Hides oidc-provider's advice for production from the console until the returned function is
 * called.
 */
function quieten(): () => void {
  const { warn, info } = console;
  const filtered = (write: typeof warn): typeof warn => (...values) => {
    if (!String(values[0]).includes("oidc-provider ")) write(...values);
  };
  console.warn = filtered(warn);
  console.info = filtered(info);
  return () => void Object.assign(console, { warn, info });
}
