import { isSameOrigin, originOf, parseOrigin } from "./origin.ts";
import { type OriginRule, parseOriginRule } from "./origin_rules.ts";

/** How long a browser may cache the response to a preflight, in seconds. */
const MAX_AGE_SECONDS = 600;

const REQUEST_HEADERS = "authorization, content-type, idempotency-key, if-none-match";

const RESPONSE_HEADERS = "etag, retry-after, stream-cursor, stream-next-offset, stream-up-to-date";

/**
 * Lets pages of allowed origins read why a socket was refused, request tickets, and read streams.
 *
 * *Security*: the response names the origin itself, never `*`, with `Vary: Origin`; `url` is the public
 * address.
 *
 * @throws {TypeError} A rule is invalid; see {@linkcode parseOriginRule}.
 *
 * @example
 * ```ts
 * import { createCrossOrigin } from "@sluice/sluice/security";
 * import assert from "node:assert/strict";
 *
 * const crossOrigin = createCrossOrigin(["https://friend.example"]);
 * const url = new URL("https://app.example/api/tickets");
 * const from = (origin: string) => new Request(url, { method: "POST", headers: { origin } });
 * const headers = crossOrigin.headersFor(from("https://friend.example"), url);
 * assert.equal(headers?.get("access-control-allow-origin"), "https://friend.example");
 * assert.equal(crossOrigin.headersFor(from("https://evil.example"), url), undefined);
 * ```
 */
export function createCrossOrigin(allowed: readonly (string | OriginRule)[]): {
  /**
   * Returns the headers that let the requesting page read the response, with cookies. Undefined if the
   * request has no valid `Origin`, is from this site, or its origin is not allowed.
   */
  headersFor(request: Request, url: URL): Headers | undefined;
} {
  const rules: OriginRule[] = allowed.map((rule) =>
    typeof rule === "string" ? parseOriginRule(rule) : rule
  );
  return {
    headersFor(request, url) {
      const header = request.headers.get("origin");
      const origin = header === null ? undefined : parseOrigin(header);
      if (origin === undefined || isSameOrigin(origin, originOf(url))) return undefined;
      if (!rules.some((rule) => rule(origin))) return undefined;
      return new Headers({
        "access-control-allow-origin": header!,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-expose-headers": RESPONSE_HEADERS,
        "access-control-max-age": String(MAX_AGE_SECONDS),
        "vary": "origin",
      });
    },
  };
}
