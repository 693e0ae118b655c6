import { STATUS_CODES } from "node:http";
import type { Context } from "./context.ts";
import { errorOverlay } from "./dev/error_overlay.ts";
import { HttpError } from "./error.ts";
import { requestUi } from "./http/request_ui.ts";

/**
 * Answers an error without an error page. In development, a browser gets a page that explains it.
 * Otherwise the response to an unexpected error contains only its status.
 */
export function answerError<State>(ctx: Context<State>): Response {
  const { error } = ctx;
  const status = error instanceof HttpError ? error.status : 500;
  if (status >= 500) console.error(error);
  const { snapshot } = requestUi(ctx);
  const isBrowser = ctx.req.headers.get("accept")?.includes("text/html");
  if (snapshot.dev && status >= 500 && isBrowser) {
    const headers = { "Content-Type": "text/html; charset=utf-8" };
    return new Response(errorOverlay(error, snapshot), { status, headers });
  }
  const message = error instanceof HttpError
    ? error.message || STATUS_CODES[status]
    : "Internal server error";
  return new Response(message, { status });
}
