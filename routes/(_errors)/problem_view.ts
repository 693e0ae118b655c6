import { HttpError } from "fresh";
import { Refusal } from "@sluice/sluice";
import type { ProblemView } from "../../components/ProblemPage.tsx";

/** What is known of the request that failed. */
export interface FailedRequest {
  readonly error: unknown;
  readonly url: URL;
}

type Words = readonly [title: string, detail: string];

const WORDS: Readonly<Record<number, Words>> = {
  400: ["That did not work", "The request is not one that this page understands."],
  401: ["Sign in first", "This page is for people who are signed in."],
  403: ["Not for you", "You may not see this page, or do this."],
  404: ["Nothing here", "There is no such page. The address may be wrong, or the page is gone."],
  405: ["Not like this", "This page cannot be asked for in that way."],
  429: ["Slow down", "That was too often. Wait a moment, then try again."],
  500: ["Something broke", "That is our mistake, and it has been written down."],
  501: ["Not in this version of Fresh", "This page needs upstream Fresh."],
  502: ["No answer", "A service that we depend on did not answer as it should."],
  503: ["Not now", "Something that this page needs cannot be reached. Try again in a moment."],
};

/** Returns the status of the answer to a request that failed. */
export function statusOf(error: unknown): number {
  return error instanceof HttpError || error instanceof Refusal ? error.status : 500;
}

/** Says what went wrong. Of an error that nobody foresaw it says nothing but that it happened. */
export function problemView({ error, url }: FailedRequest): ProblemView {
  const status = statusOf(error);
  const [title, words] = WORDS[status] ?? WORDS[status < 500 ? 400 : 500]!;
  const detail = detailOf(error) ?? words;
  return { status, title, detail, action: wayOn(status, url) };
}

/** Refusals are written for users; a 501 says what the stand-in for Fresh lacks. */
function detailOf(error: unknown): string | undefined {
  if (error instanceof Refusal) return sentence(error.detail);
  return error instanceof HttpError && error.status === 501 ? error.message : undefined;
}

function wayOn(status: number, url: URL): ProblemView["action"] {
  const here = url.pathname + url.search;
  if (status === 401) {
    return { href: `/signin?${new URLSearchParams({ return_to: here })}`, label: "Sign in" };
  }
  const mayPass = status === 429 || status >= 500;
  return mayPass ? { href: here, label: "Try again" } : { href: "/", label: "Home" };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
