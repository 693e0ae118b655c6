import { isSameOrigin, originOf, parseOrigin } from "./origin.ts";
import { type OriginRule, parseOriginRule } from "./origin_rules.ts";
import type { AllowedOrigins } from "./with_origins.ts";

/** How long a browser may keep the answer to a preflight, in seconds. */
const MAX_AGE_SECONDS = 600;

/** Says which pages of other origins may read an answer (Cross-Origin Resource Sharing). */
export interface CrossOrigin {
  /**
   * Returns the headers that let the page behind a request read its answer, with cookies; undefined
   * where there is no such page, it is one of this site, or it may not.
   */
  headersFor(request: Request, url: URL): Headers | undefined;
}

/**
 * Lets pages of the origins that may open sockets read why they were refused, and ask for tickets.
 *
 * *Security*: the origin itself is sent back, never `*`, with `Vary: Origin`; `url` is the address as
 * people see it.
 *
 * @throws {TypeError} A rule is none; see {@linkcode parseOriginRule}.
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
export function createCrossOrigin(allowed: AllowedOrigins): CrossOrigin {
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
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "content-type, authorization",
        "access-control-expose-headers": "retry-after",
        "access-control-max-age": String(MAX_AGE_SECONDS),
        "vary": "origin",
      });
    },
  };
}
