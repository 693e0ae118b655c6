import type { Context } from "fresh";
import { Refusal } from "@sluice/sluice";
import { problem } from "@sluice/sluice/server";
import type { State } from "./define.ts";

type Answer = (ctx: Context<State>) => Response | Promise<Response>;

/** Answers by method, and every other method with 405 and the list of those. `GET` covers `HEAD`. */
export function byMethod(answers: Readonly<Partial<Record<string, Answer>>>): Answer {
  const allowed = Object.keys(answers).flatMap((name) => name === "GET" ? ["GET", "HEAD"] : [name]);
  return async (ctx) => {
    const { method } = ctx.req;
    const answer = answers[method === "HEAD" ? "GET" : method];
    if (answer === undefined) return methodNotAllowed(allowed);
    const response = await answer(ctx);
    return method === "HEAD" ? new Response(null, response) : response;
  };
}

function methodNotAllowed(allowed: readonly string[]): Response {
  const detail = `This address takes ${allowed.join(", ")}`;
  const response = problem(new Refusal("METHOD_NOT_ALLOWED", { status: 405, detail }));
  response.headers.set("allow", allowed.join(", "));
  return response;
}
