/**
 * Whether a request asks for an event stream: the messages of a socket as server-sent events, for
 * clients behind proxies that break WebSockets.
 */
export function wantsEventStream(
  { method, headers }: { readonly method: string; readonly headers: Headers },
): boolean {
  if (method !== "POST") return false;
  return /(?:^|,)\s*text\/event-stream\s*(?:;|,|$)/i.test(headers.get("accept") ?? "");
}
