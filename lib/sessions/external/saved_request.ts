import type { Scope } from "../../core/scope.ts";

/** The parts of a request that `identify()` can read again later: its URL and its headers. */
export interface SavedRequest {
  readonly url: string;
  readonly headers: readonly [name: string, value: string][];
}

/** Saves the request of a connection, which becomes unreadable when it is answered. */
export function saveScope({ url, headers }: Scope): SavedRequest {
  return { url: url.href, headers: [...headers] };
}

/** Saves the URL and the headers of a request. */
export function saveRequest({ url, headers }: Request): SavedRequest {
  return { url, headers: [...headers] };
}

/** Returns a `GET` request without a body. */
export function toRequest({ url, headers }: SavedRequest): Request {
  return new Request(url, { headers: [...headers] });
}
