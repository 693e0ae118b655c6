import { HttpError } from "fresh";
import { Refusal } from "@sluice/sluice";
import type { ProblemView } from "../../components/ProblemPage.tsx";
import { RoomNotFound } from "./room_not_found.ts";

/** A failed request. */
export interface FailedRequest {
  readonly error: unknown;
  readonly url: URL;
}

type Words = readonly [title: string, detail: string];

const WORDS: Readonly<Record<number, Words>> = {
  400: ["Bad request", "This page doesn't understand the request."],
  401: ["Sign in first", "Sign in to see this page."],
  403: ["No access", "You don't have access to this page."],
  404: ["Nothing here", "There is no such page. The address may be wrong, or the page is gone."],
  405: ["Method not allowed", "This page can't be used that way."],
  413: ["Too much data", "The request is larger than this page accepts."],
  429: ["Too many requests", "Wait a moment, then try again."],
  500: ["Server error", "Something went wrong on our side. It has been logged."],
  501: ["Not in this version of Fresh", "This page needs upstream Fresh."],
  502: ["Bad gateway", "A service that this page depends on did not answer correctly."],
  503: ["Temporarily unavailable", "Try again in a moment."],
};

/** Returns the status of the response to a failed request. */
export function statusOf(error: unknown): number {
  return error instanceof HttpError || error instanceof Refusal ? error.status : 500;
}

/** Describes what went wrong. An unexpected error shows no details. */
export function problemView({ error, url }: FailedRequest): ProblemView {
  const status = statusOf(error);
  const [title, words] = WORDS[status] ?? WORDS[status < 500 ? 400 : 500]!;
  if (error instanceof RoomNotFound) return roomProblem(error.room);
  const detail = detailOf(error) ?? words;
  return { status, title, detail, action: wayOn(status, url) };
}

/** Links to the form for rooms, with the name filled in for correction. */
function roomProblem(room: string): ProblemView {
  const href = `/rooms?${new URLSearchParams({ room: room.slice(0, 200) })}`;
  return {
    status: 404,
    title: "Not a room name",
    detail: "A room name has 1–64 letters, numbers, hyphens or underscores.",
    action: { href, label: "Change the name" },
  };
}

/**
 * Returns the message of a refusal, which is written for users, or of a 501, which names a feature
 * that the stand-in for Fresh lacks.
 */
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
