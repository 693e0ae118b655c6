import { type Context, HttpError } from "fresh";
import { Refusal } from "@sluice/sluice";
import { problem } from "@sluice/sluice/server";
import type { State } from "../http/define.ts";
import { MethodNotAllowed } from "../http/method_not_allowed.ts";
import { PageTitle } from "../../components/PageTitle.tsx";
import { ProblemPage, type ProblemView } from "../../components/ProblemPage.tsx";
import { problemView, statusOf } from "./problem_view.ts";

/** Answers a failed request: a page for browsers, a problem (RFC 9457) for programs. */
export async function answerError(ctx: Context<State>, error: unknown): Promise<Response> {
  const status = statusOf(error);
  const { pathname } = ctx.url;
  if (status === 500) ctx.state.services.log.error("A request failed", { path: pathname, error });
  if (/^\/(api|ws)\//.test(pathname)) return problem(toRefusal(error, status));
  const headers = new Headers({ "cache-control": "no-store" });
  if (error instanceof MethodNotAllowed) headers.set("allow", error.allow);
  if (error instanceof Refusal && error.retryAfterSeconds !== undefined) {
    headers.set("retry-after", String(error.retryAfterSeconds));
  }
  const view = problemView({ error, url: ctx.url });
  const internal = ctx.config.mode === "development" ? stackOf(error, status) : undefined;
  return await ctx.render(<Problem view={{ ...view, internal }} />, { status, headers });
}

function Problem({ view }: { readonly view: ProblemView }) {
  return (
    <>
      <PageTitle of={[view.title]} isError />
      <ProblemPage view={view} />
    </>
  );
}

function stackOf(error: unknown, status: number): string | undefined {
  return status === 500 && error instanceof Error ? error.stack : undefined;
}

const CODES: Readonly<Record<number, string>> = { 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED" };

function toRefusal(error: unknown, status: number): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof HttpError)) return new Refusal("INTERNAL");
  const code = CODES[status] ?? `HTTP_${status}`;
  return new Refusal(code, { status, detail: "The request failed" });
}
