import type { Log } from "../../scope.ts";
import { isLoopback } from "../providers/_back_channel.ts";
import { createIssuer, type Issuer, SESSION_COOKIE } from "./_issuer.ts";
import { toNodeExchange } from "./_node_bridge.ts";
import { choicePage, messagePage } from "./_page.ts";
import { toLogin } from "./_people.ts";

/** Most origins (ports, names of this machine) that are served at once. */
const MAX_ORIGINS = 8;

const MAX_BODY_LENGTH = 8_192;

/** How the development identity provider is mounted. */
export interface DevIdentityOptions {
  readonly log: Log;
  /** The path that all its addresses begin with. @default {"/auth/dev"} */
  readonly path?: string;
  /** Where its only client takes callbacks. @default {"/auth/callback/dev"} */
  readonly callbackPath?: string;
}

/**
 * An OpenID Connect provider inside the process, for development: oidc-provider, with a page that
 * asks who to be and believes it.
 *
 * Mount {@linkcode handle} for every method at `/auth/dev/` and all below it. Each origin has an
 * issuer of its own, made at its first use, 8 at most; all is lost with the process.
 *
 * *Security*: whoever reaches it can be anybody. It serves `127.0.0.1`, `localhost` and `[::1]`
 * only, by the address as well as by the `Host` header; listen on a loopback address besides.
 *
 * @example
 * ```ts
 * import { DevIdentity } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const identity = new DevIdentity({ log: console });
 * const url = "http://192.0.2.1/auth/dev/.well-known/openid-configuration";
 * assert.equal((await identity.handle(new Request(url))).status, 403);
 * ```
 */
export class DevIdentity {
  /** The path that all its addresses begin with. */
  readonly path: string;
  readonly #callbackPath: string;
  readonly #log: Log;
  readonly #issuers = new Map<string, Promise<Issuer>>();

  constructor(options: DevIdentityOptions) {
    this.path = options.path ?? "/auth/dev";
    this.#callbackPath = options.callbackPath ?? "/auth/callback/dev";
    this.#log = options.log;
  }

  /** Answers a request under {@linkcode path}. Never throws. */
  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (!isLocal(request, url)) {
      return messagePage(403, "The development sign-in is for this machine only");
    }
    if (!url.pathname.startsWith(`${this.path}/`)) return messagePage(404, "There is nothing here");
    try {
      const body = await readBody(request);
      if (body === undefined) return messagePage(413, "The request is too large");
      const issuer = await this.#issuer(url.origin);
      return url.pathname.startsWith(`${this.path}/interaction/`)
        ? await this.#interact(issuer, request, body)
        : await this.#forward(issuer, request, body);
    } catch (error) {
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
    const issuer = createIssuer(origin + this.path, origin + this.#callbackPath);
    this.#issuers.set(origin, issuer);
    issuer.catch(() => this.#issuers.delete(origin));
    return issuer;
  }
}

function isLocal(request: Request, url: URL): boolean {
  const host = request.headers.get("host");
  if (!isLoopback(url.hostname)) return false;
  return host === null || isLoopback(URL.parse(`http://${host}`)?.hostname ?? "");
}

async function readBody(request: Request): Promise<string | undefined> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of request.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_BODY_LENGTH) return undefined;
  }
  return text;
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
