import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { problem } from "@sluice/sluice/server";
import type { State } from "./define.ts";
import { MethodNotAllowed } from "./method_not_allowed.ts";

type Answer = (ctx: Context<State>) => Response | Promise<Response>;

/**
 * Dispatches by method. Other methods get 405 with the list of allowed ones: a page for a browser
 * navigation, a problem (RFC 9457) for all other requests. `GET` covers `HEAD`.
 */
export function byMethod(answers: Readonly<Partial<Record<string, Answer>>>): Answer {
  const allowed = Object.keys(answers).flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name]);
  return async (ctx) => {
    const { method } = ctx.req;
    const answer = answers[method === "HEAD" ? "GET" : method];
    if (answer === undefined) return methodNotAllowed(ctx, allowed.join(", "));
    const response = await answer(ctx);
    return method === "HEAD" ? new Response(null, response) : response;
  };
}

function methodNotAllowed({ req, url }: Context<State>, allow: string): Response {
  const isForPrograms = /^\/(api|ws|streams)\//.test(url.pathname);
  const isPage = !isForPrograms && /\btext\/html\b/.test(req.headers.get("accept") ?? "");
  if (isPage) throw new MethodNotAllowed(allow);
  const detail = `This URL accepts ${allow}`;
  const response = problem(new Refusal("METHOD_NOT_ALLOWED", { status: 405, detail }));
  response.headers.set("allow", allow);
  return response;
}
