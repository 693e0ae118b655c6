import { hash, timingSafeEqual } from "node:crypto";
import { Refusal } from "@sluice/sluice";
import { problem } from "@sluice/sluice/server";
import { bearerToken } from "@sluice/sluice/sessions";

/**
 * Returns a refusal if a token is required and the request does not have it.
 *
 * *Security*: complete digests are compared, so that the timing reveals nothing about the token.
 */
export function refuseMetrics(request: Request, token: string | undefined): Response | undefined {
  if (token === undefined) return undefined;
  const shown = bearerToken(request.headers);
  if (shown !== undefined && timingSafeEqual(digest(shown), digest(token))) return undefined;
  const detail = "This URL requires the token of METRICS_TOKEN";
  const response = problem(new Refusal("TOKEN_REQUIRED", { status: 401, detail }));
  response.headers.set("www-authenticate", "Bearer");
  return response;
}

function digest(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}
