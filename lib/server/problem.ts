import type { Refusal } from "../protocol/mod.ts";

/** Statuses whose titles RFC 9457 takes from the HTTP registry. */
const TITLE: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Writes a refusal as `application/problem+json` (RFC 9457) with its stable `code`. */
export function problem(refusal: Refusal): Response {
  const { status, code, detail, retryAfterSeconds } = refusal;
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  if (retryAfterSeconds !== undefined) {
    headers.set("retry-after", String(Math.max(1, Math.ceil(retryAfterSeconds))));
  }
  if (status === 426) {
    headers.set("upgrade", "websocket");
    headers.set("connection", "Upgrade");
    headers.set("sec-websocket-version", "13");
  }
  const body = { type: "about:blank", title: TITLE[status] ?? "Refused", status, code, detail };
  return new Response(JSON.stringify(body), { status, headers });
}
