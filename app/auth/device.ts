import type { Context } from "fresh";
import type { DeviceSignIn } from "@sluice/sluice/auth";
import { textOf } from "../http/body.ts";
import type { State } from "../http/define.ts";

/** `Retry-After` for a program when the database cannot be reached, in seconds. */
const RETRY_SECONDS = 5;

/** Begins the sign-in of a program without a browser (RFC 8628 §3.1). */
export async function beginDevice(ctx: Context<State>): Promise<Response> {
  const { services: { deviceSignIn, limits }, peer } = ctx.state;
  const retryAfter = limits.devices.take(peer.address);
  if (retryAfter !== undefined) return oauthError("slow_down", 429, Math.ceil(retryAfter));
  const userAgent = ctx.req.headers.get("user-agent") ?? "";
  const begun = await deviceSignIn.begin({ userAgent, address: peer.address });
  const verify = new URL("/device", peer.url.origin);
  const complete = new URL(verify);
  complete.searchParams.set("user_code", begun.userCode);
  return answer({
    device_code: begun.deviceCode,
    user_code: begun.userCode,
    verification_uri: verify.href,
    verification_uri_complete: complete.href,
    expires_in: begun.expiresIn,
    interval: begun.interval,
  });
}

/** Answers the poll of a program (RFC 8628 §3.4). */
export async function pollDevice(ctx: Context<State>): Promise<Response> {
  const { services: { deviceSignIn, limits, log }, peer } = ctx.state;
  const retryAfter = limits.devicePolls.take(peer.address);
  if (retryAfter !== undefined) return oauthError("slow_down", 429, Math.ceil(retryAfter));
  const deviceCode = new URLSearchParams(textOf(ctx)).get("device_code");
  if (!deviceCode) return oauthError("invalid_request", 400);
  let result: Awaited<ReturnType<DeviceSignIn["poll"]>>;
  try {
    result = await deviceSignIn.poll(deviceCode);
  } catch (error) {
    log.error("The sign-in of a program failed", { error });
    return oauthError("temporarily_unavailable", 503, RETRY_SECONDS);
  }
  if (result.error !== undefined) return oauthError(result.error, 400);
  const { token, expiresIn } = result;
  return answer({ access_token: token, token_type: "Bearer", expires_in: expiresIn });
}

function oauthError(error: string, status: number, retryAfterSeconds?: number): Response {
  const response = answer({ error }, status);
  if (retryAfterSeconds !== undefined) {
    response.headers.set("retry-after", String(retryAfterSeconds));
  }
  return response;
}

function answer(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
