import { Refusal } from "../../protocol/mod.ts";
import { readBody } from "../../read_body.ts";
import type { Log } from "../../scope.ts";
import { isLocalRequest } from "./_local_request.ts";
import { createIssuer, type Issuer, SESSION_COOKIE } from "./_issuer.ts";
import type { DevStore } from "./dev_store.ts";
import { toNodeExchange } from "./_node_bridge.ts";
import { choicePage, messagePage } from "./_page.ts";
import { toLogin } from "./_people.ts";

/** Most origins (ports, names of this machine) that are served at once. */
const MAX_ORIGINS = 8;

/** How the development identity provider is mounted. */
export interface DevIdentityOptions {
  readonly log: Log;
  /** The path that all its addresses begin with. @default {"/auth/dev"} */
  readonly path?: string;
  /** Where its only client takes callbacks. @default {"/auth/callback/dev"} */
  readonly callbackPath?: string;
  /**
   * Where sign-ins are kept while they last: for several processes, a {@linkcode KvDevStore}.
   * @default {this process's memory}
   */
  readonly store?: DevStore;
}

/**
 * An OpenID Connect provider inside the process, for development: oidc-provider, with a page that
 * asks who to be and believes it.
 *
 * Mount {@linkcode handle} for every method at `/auth/dev/` and all below it. Each origin has an
 * issuer of its own, made at its first use, 8 at most. Processes with the same store are one
 * provider. Each has a signing key of its own: a process asks only itself for tokens and keys.
 *
 * *Security*: whoever reaches it can be anybody. It answers 403 to a peer that is not at a loopback
 * address, to a `Host` that is not loopback, and to every request with a header that proxies and
 * tunnels add. Listen on a loopback address besides.
 *
 * @example
 * ```ts
 * import { DevIdentity } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const identity = new DevIdentity({ log: console });
 * const url = "http://127.0.0.1/auth/dev/.well-known/openid-configuration";
 * const ask = (address: string) => identity.handle(new Request(url), { address });
 * assert.equal((await ask("192.0.2.1")).status, 403);
 * assert.equal((await ask("127.0.0.1")).status, 200);
 * ```
 */
export class DevIdentity {
  /** The path that all its addresses begin with. */
  readonly path: string;
  readonly #callbackPath: string;
  readonly #log: Log;
  readonly #store: DevStore | undefined;
  readonly #issuers = new Map<string, Promise<Issuer>>();

  constructor(options: DevIdentityOptions) {
    this.path = options.path ?? "/auth/dev";
    this.#callbackPath = options.callbackPath ?? "/auth/callback/dev";
    this.#log = options.log;
    this.#store = options.store;
  }

  /** Answers a request under {@linkcode path}, from a peer at `address`. Never throws. */
  async handle(request: Request, peer: { readonly address: string }): Promise<Response> {
    const { headers } = request;
    const url = new URL(request.url);
    if (!isLocalRequest({ url, headers, ...peer })) {
      return messagePage(403, "The development sign-in is for this machine only");
    }
    return await this.answer(request);
  }

  /**
   * Answers a request that this process makes itself. Never throws.
   *
   * *Security*: it does not look at where the request comes from.
   */
  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (!url.pathname.startsWith(`${this.path}/`)) return messagePage(404, "There is nothing here");
    try {
      const body = new TextDecoder().decode(await readBody(request));
      const issuer = await this.#issuer(url.origin);
      return url.pathname.startsWith(`${this.path}/interaction/`)
        ? await this.#interact(issuer, request, body)
        : await this.#forward(issuer, request, body);
    } catch (error) {
      if (error instanceof Refusal) return messagePage(error.status, error.detail);
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      if (text.startsWith("SessionNotFound")) return messagePage(400, "This sign-in is over");
      this.#log.error("the development sign-in failed", { error: text });
      return messagePage(500, "Something went wrong");
    }
  }

  async #forward(issuer: Issuer, request: Request, body: string): Promise<Response> {
    const exchange = toNodeExchange(request, this.path, body);
    await issuer.callback()(exchange.request, exchange.response);
    return withoutSession(await exchange.answer);
  }

  async #interact(issuer: Issuer, request: Request, body: string): Promise<Response> {
    const { pathname } = new URL(request.url);
    const exchange = toNodeExchange(request, this.path, "");
    const { params } = await issuer.interactionDetails(exchange.request, exchange.response);
    const finish = async (result: unknown) => {
      const { request, response } = exchange;
      const options = { mergeWithLastSubmission: false };
      const location = await issuer.interactionResult(request, response, result, options);
      return new Response(null, {
        status: 303,
        headers: { location, "cache-control": "no-store" },
      });
    };

    if (request.method !== "POST") {
      const hinted = typeof params.login_hint === "string" ? toLogin(params.login_hint) : undefined;
      return hinted === undefined
        ? choicePage(pathname, undefined)
        : await finish({ login: { accountId: hinted } });
    }
    const form = new URLSearchParams(body);
    if (form.has("cancel")) {
      return await finish({
        error: "access_denied",
        error_description: "You cancelled the sign-in",
      });
    }
    const login = toLogin(form.get("login") ?? "");
    return login === undefined
      ? choicePage(pathname, "Please take 1 to 39 letters, digits and hyphens")
      : await finish({ login: { accountId: login } });
  }

  #issuer(origin: string): Promise<Issuer> {
    const known = this.#issuers.get(origin);
    if (known) return known;
    const [oldest] = this.#issuers.keys();
    if (this.#issuers.size >= MAX_ORIGINS && oldest) this.#issuers.delete(oldest);
    const callback = origin + this.#callbackPath;
    const issuer = createIssuer(origin + this.path, { callback, store: this.#store });
    this.#issuers.set(origin, issuer);
    issuer.catch(() => this.#issuers.delete(origin));
    return issuer;
  }
}

/** Keeps the provider's own session from the browser: it may be somebody else next time. */
function withoutSession(response: Response): Response {
  const cookies = response.headers.getSetCookie();
  response.headers.delete("set-cookie");
  for (const cookie of cookies) {
    if (!cookie.startsWith(SESSION_COOKIE)) response.headers.append("set-cookie", cookie);
  }
  return response;
}
