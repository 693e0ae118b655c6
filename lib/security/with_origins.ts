import { Refusal } from "../protocol/mod.ts";
import {
  adding,
  type Application,
  guarded,
  type Middleware,
  type OriginScope,
  type Scope,
} from "../core/scope.ts";
import { isSameOrigin, originOf, parseOrigin } from "./origin.ts";
import { type OriginRule, parseOriginRule } from "./origin_rules.ts";
import { describeNearMiss, WrongOriginLog } from "./wrong_origin.ts";

/**
 * Refuses connections from pages of other sites (cross-site WebSocket hijacking): 403
 * `ORIGIN_NOT_ALLOWED`.
 *
 * The site's own origin and `allowed` pass. A missing `Origin` passes only with a ticket or, for a plain
 * `GET`, with `Sec-Fetch-Site: same-origin` and a `Referer` of the site, if there is one. Another name, scheme or port of the same host is named in
 * the refusal and in the log, with the setting that allows it; its page may read the refusal.
 *
 * @throws {TypeError} A rule is invalid; see {@linkcode parseOriginRule}.
 *
 * *Security*: must run before anything that reads a cookie.
 */
export function withOrigins<S>(
  allowed: readonly (string | OriginRule)[],
  next: Application<S & OriginScope>,
): Application<S & Scope> {
  const rules = allowed.map((rule) => typeof rule === "string" ? parseOriginRule(rule) : rule);
  // Created once: an error costs as much as the rest of a refusal.
  const refusal = Refusal.of("ORIGIN_NOT_ALLOWED");
  const withoutOrigin = new Refusal("ORIGIN_NOT_ALLOWED", { detail: NO_ORIGIN });
  const log = new WrongOriginLog();
  const application: Application<S & Scope> = (scope) => {
    const origin = originHeader(scope);
    if (isAllowed(scope, origin, rules)) return next(Object.assign(scope, CHECKED));
    if (origin === null) return withoutOrigin;
    const detail = describeNearMiss(origin, scope.url);
    log.refused(origin, scope, detail);
    if (detail === undefined) return refusal;
    return new Refusal("ORIGIN_NOT_ALLOWED", { detail, readableBy: origin });
  };
  return guarded(application, next, "origin");
}

/**
 * The middleware of {@linkcode withOrigins} for a `stack()`: refuses connections from pages of other
 * sites with 403 `ORIGIN_NOT_ALLOWED`.
 *
 * @example
 * ```ts
 * import { origins, stack } from "@sluice/sluice";
 *
 * const guarded = stack().use(origins(["https://app.example.com", ".example.org"]));
 * ```
 */
export function origins(
  allowed: readonly (string | OriginRule)[] = [],
): Middleware<Scope, OriginScope> {
  return (next) => withOrigins(allowed, next);
}

/**
 * Accepts pages of every site, and clients without an `Origin`: for public data that needs no session.
 *
 * *Security*: with a session cookie, any site that a signed-in user visits could act as that user.
 *
 * @example
 * ```ts
 * import { anyOrigin, stack } from "@sluice/sluice";
 *
 * const open = stack().use(anyOrigin());
 * ```
 */
export function anyOrigin(): Middleware<Scope, OriginScope> {
  return (next) => adding(CHECKED, next, "origin");
}

const CHECKED = { originChecked: true } as const;

const NO_ORIGIN = "The request has no Origin: browsers send one, and other clients use a ticket";

/**
 * Returns the origin that a request shows. A plain `GET` of a page's own origin has no `Origin`; its
 * `Referer` shows a page whose address is not the one that the server knows.
 */
function originHeader({ headers, type }: Scope): string | null {
  const origin = headers.get("origin");
  if (origin !== null || type !== "http") return origin;
  const referer = headers.get("referer") ?? "";
  const isOwn = headers.get("sec-fetch-site") === "same-origin" && URL.canParse(referer);
  return isOwn ? new URL(referer).origin : null;
}

function isAllowed(scope: Scope, header: string | null, rules: readonly OriginRule[]): boolean {
  const site = scope.headers.get("sec-fetch-site");
  if (header === null) {
    return scope.ticket !== undefined || (scope.type === "http" && site === "same-origin");
  }
  // Fast path: most headers equal our own spelling and need no parser.
  if (site !== "cross-site" && header === serializedOrigin(scope.url)) return true;
  const origin = parseOrigin(header);
  if (origin === undefined) return false;
  if (isSameOrigin(origin, originOf(scope.url)) && site !== "cross-site") return true;
  return rules.some((rule) => rule(origin));
}

/** Returns the origin of an `http` or `https` address as browsers send it (RFC 6454 §6.1). */
function serializedOrigin(url: URL): string | undefined {
  const { protocol } = url;
  return protocol === "http:" || protocol === "https:" ? `${protocol}//${url.host}` : undefined;
}
