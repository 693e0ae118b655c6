import type { Refusal } from "../protocol/mod.ts";

/** Titles of the statuses, from the HTTP registry as RFC 9457 recommends. */
const TITLE: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  413: "Content Too Large",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The contents of a response, from which `Response` objects are created. */
interface Problem {
  readonly body: string;
  readonly init: { readonly status: number; readonly headers: [string, string][] };
}

const written = new WeakMap<Refusal, Problem>();

/**
 * Returns a refusal as `application/problem+json` (RFC 9457) with its stable `code`. The text of each
 * refusal is created once.
 *
 * @example
 * ```ts
 * import { Refusal } from "@sluice/sluice";
 * import { problem } from "@sluice/sluice/server";
 * import assert from "node:assert/strict";
 *
 * const response = problem(Refusal.of("NOT_SIGNED_IN"));
 * assert.equal(response.status, 401);
 * assert.equal((await response.json()).code, "NOT_SIGNED_IN");
 * ```
 */
export function problem(refusal: Refusal): Response {
  let known = written.get(refusal);
  if (known === undefined) written.set(refusal, known = write(refusal));
  return new Response(known.body, known.init);
}

function write({ status, code, detail, retryAfterSeconds, readableBy }: Refusal): Problem {
  const headers: [string, string][] = [
    ["content-type", "application/problem+json"],
    ["cache-control", "no-store"],
    ["x-content-type-options", "nosniff"],
  ];
  if (retryAfterSeconds !== undefined) {
    headers.push(["retry-after", String(Math.max(1, Math.ceil(retryAfterSeconds)))]);
  }
  if (readableBy !== undefined) {
    headers.push(["access-control-allow-origin", readableBy], ["vary", "origin"]);
    headers.push(["access-control-allow-credentials", "true"]);
  }
  if (status === 426) {
    headers.push(["upgrade", "websocket"], ["connection", "Upgrade"]);
    headers.push(["sec-websocket-version", "13"]);
  }
  const body = { type: "about:blank", title: TITLE[status] ?? "Refused", status, code, detail };
  return { body: JSON.stringify(body), init: { status, headers } };
}
