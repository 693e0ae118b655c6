import { hash, timingSafeEqual } from "node:crypto";
import { Refusal } from "@sluice/sluice";
import { problem } from "@sluice/sluice/server";
import { bearerToken } from "@sluice/sluice/sessions";

/**
 * Returns the refusal of a request that does not show the token, if there has to be one.
 *
 * *Security*: digests are compared, all of them, so that the time tells nothing about the token.
 */
export function refuseMetrics(request: Request, token: string | undefined): Response | undefined {
  if (token === undefined) return undefined;
  const shown = bearerToken(request.headers);
  if (shown !== undefined && timingSafeEqual(digest(shown), digest(token))) return undefined;
  const detail = "This address takes the token of METRICS_TOKEN";
  const response = problem(new Refusal("TOKEN_REQUIRED", { status: 401, detail }));
  response.headers.set("www-authenticate", "Bearer");
  return response;
}

function digest(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}
