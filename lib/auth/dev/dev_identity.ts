import { Refusal } from "../../protocol/mod.ts";
import { readBody } from "../../core/read_body.ts";
import { consoleLog } from "../../core/log.ts";
import type { Log } from "../../core/log.ts";
import type { KeyValue } from "../../kv/mod.ts";
import { isLocalRequest } from "./_local_request.ts";
import { createIssuer, type Issuer, SESSION_COOKIE } from "./_issuer.ts";
import { toNodeExchange } from "./_node_bridge.ts";
import { choicePage, messagePage } from "./_page.ts";
import { toLogin } from "./_people.ts";

/** Most origins (ports and host names of this machine) served at once. */
const MAX_ORIGINS = 8;

/** Options of {@linkcode DevIdentity}. */
export interface DevIdentityOptions {
  /** Receives failures. @default {consoleLog} */
  readonly log?: Log;
  /** The path prefix of all its URLs. @default {"/auth/dev"} */
  readonly path?: string;
  /** The callback path of its only client. @default {"/auth/callback/dev"} */
  readonly callbackPath?: string;
  /**
   * Keeps pending sign-ins, for all processes that share it.
   * @default {this process's memory}
   */
  readonly kv?: KeyValue;
}

/**
 * An OpenID Connect provider inside the process, for development: oidc-provider, with a page that
 * signs you in as any user you name.
 *
 * Mount {@linkcode handle} for every method at `/auth/dev/` and below. Each origin has its own
 * issuer, created at first use; at most 8. Processes with the same database act as one provider. Each
 * process has its own signing key: it requests tokens and keys only from itself.
 *
 * *Security*: every client that can reach it can sign in as any user. It answers 403 if the peer's
 * address or the `Host` is not loopback, and to every request with a header that proxies and
 * tunnels add. In addition, listen on a loopback address.
 *
 * @example
 * ```ts
 * import { DevIdentity } from "@sluice/sluice/auth/dev";
 * import assert from "node:assert/strict";
 *
 * const identity = new DevIdentity();
 * const url = "http://127.0.0.1/auth/dev/.well-known/openid-configuration";
 * const ask = (address: string) => identity.handle(new Request(url), { address });
 * assert.equal((await ask("192.0.2.1")).status, 403);
 * assert.equal((await ask("127.0.0.1")).status, 200);
 * ```
 */
export class DevIdentity {
  /** The path prefix of all its URLs. */
  readonly path: string;
  readonly #callbackPath: string;
  readonly #log: Log;
  readonly #kv: KeyValue | undefined;
  readonly #issuers = new Map<string, Promise<Issuer>>();

  /** Creates a provider without users; a sign-in names one. */
  constructor(options: DevIdentityOptions = {}) {
    this.path = options.path ?? "/auth/dev";
    this.#callbackPath = options.callbackPath ?? "/auth/callback/dev";
    this.#log = options.log ?? consoleLog;
    this.#kv = options.kv;
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
   * *Security*: it does not check where the request comes from.
   */
  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (!url.pathname.startsWith(`${this.path}/`)) return messagePage(404, "Page not found");
    try {
      const body = new TextDecoder().decode(await readBody(request));
      const issuer = await this.#issuer(url.origin);
      return url.pathname.startsWith(`${this.path}/interaction/`)
        ? await this.#interact(issuer, request, body)
        : await this.#forward(issuer, request, body);
    } catch (error) {
      if (error instanceof Refusal) return messagePage(error.status, error.detail);
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      if (text.startsWith("SessionNotFound")) {
        return messagePage(400, "This sign-in has expired or is already finished");
      }
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
      ? choicePage(pathname, "Use 1 to 39 letters, digits and hyphens")
      : await finish({ login: { accountId: login } });
  }

  #issuer(origin: string): Promise<Issuer> {
    const known = this.#issuers.get(origin);
    if (known) return known;
    const [oldest] = this.#issuers.keys();
    if (this.#issuers.size >= MAX_ORIGINS && oldest) this.#issuers.delete(oldest);
    const callback = origin + this.#callbackPath;
    const issuer = createIssuer(origin + this.path, { callback, kv: this.#kv });
    this.#issuers.set(origin, issuer);
    issuer.catch(() => this.#issuers.delete(origin));
    return issuer;
  }
}

/** Withholds the provider's own session cookie, so that each sign-in can choose another identity. */
function withoutSession(response: Response): Response {
  const cookies = response.headers.getSetCookie();
  response.headers.delete("set-cookie");
  for (const cookie of cookies) {
    if (!cookie.startsWith(SESSION_COOKIE)) response.headers.append("set-cookie", cookie);
  }
  return response;
}
