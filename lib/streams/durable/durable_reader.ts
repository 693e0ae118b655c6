import { nextCursor } from "../http/cursor.ts";
import { isKnownETag } from "../http/etag.ts";
import { encodeBody, encodeEvent, isText } from "./durable_body.ts";
import type { DurableHead, DurableLog } from "./durable_log.ts";
import { DurableRefusal } from "./durable_request.ts";

/** What {@linkcode readDurable} uses. */
export interface DurableReadContext {
  readonly log: DurableLog;
  readonly request: Request;
  readonly url: URL;
  readonly longPollMs: number;
  readonly sseMs: number;
  /** Resolves when the stream may have changed, or after `ms` milliseconds. */
  changed(ms: number): Promise<void>;
}

/** Bytes of one answer, or of one event. */
const MAX_BYTES = 262_144;

const SAFE = {
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "cross-origin",
};

/** Answers a read: catch-up, long-poll, or server-sent events. */
export async function readDurable(context: DurableReadContext): Promise<Response> {
  const { log, url } = context;
  const entry = await log.head();
  if (entry === undefined) throw new DurableRefusal(404, "There is no such stream");
  const live = url.searchParams.get("live");
  if (live !== null && live !== "long-poll" && live !== "sse") {
    throw new DurableRefusal(400, "live is long-poll or sse");
  }
  const after = offsetOf(url, entry.value, live !== null);
  await log.touch(entry);
  if (live === "sse") return readEvents(context, entry.value, after);
  return live === "long-poll"
    ? await longPoll(context, entry.value, after)
    : await catchUp(context, entry.value, after);
}

/** Returns the token of an offset. */
export function tokenOf(offset: number): string {
  return String(offset).padStart(16, "0");
}

function offsetOf(url: URL, head: DurableHead, isLive: boolean): number {
  const tokens = url.searchParams.getAll("offset");
  if (tokens.length > 1) throw new DurableRefusal(400, "There is more than one offset");
  const [token] = tokens;
  if (token === undefined && isLive) throw new DurableRefusal(400, "live needs an offset");
  if (token === undefined || token === "-1") return 0;
  if (token === "now") return head.end;
  if (/^\d{16}$/.test(token)) return Math.min(Number(token), head.end);
  throw new DurableRefusal(400, "The offset is malformed");
}

async function catchUp(context: DurableReadContext, head: DurableHead, after: number) {
  const { log, request, url } = context;
  const isNow = url.searchParams.get("offset") === "now";
  const parts = await log.read(head, after, MAX_BYTES);
  const end = parts.at(-1)?.end ?? after;
  const headers = headersOf(context, head, end);
  const isEnd = end === head.end;
  if (isNow) headers["cache-control"] = "no-store";
  else {
    const etag = `"${head.id}:${after}:${end}${isEnd && head.isClosed ? ":c" : ""}"`;
    headers["etag"] = etag;
    if (isKnownETag(request.headers, etag)) {
      return new Response(null, { status: 304, headers });
    }
  }
  const body = encodeBody(head.contentType, parts) as Uint8Array<ArrayBuffer>;
  return new Response(body, { headers: { ...headers, "content-type": head.contentType } });
}

async function longPoll(context: DurableReadContext, found: DurableHead, after: number) {
  const { log, longPollMs, changed } = context;
  const until = performance.now() + longPollMs;
  let head = found;
  while (head.end <= after && !head.isClosed && performance.now() < until) {
    await changed(until - performance.now());
    const entry = await log.head();
    if (entry?.value.id !== found.id) throw new DurableRefusal(404, "The stream was deleted");
    head = entry.value;
  }
  if (head.end > after) return await catchUp(context, head, after);
  return new Response(null, { status: 204, headers: headersOf(context, head, after) });
}

function readEvents(context: DurableReadContext, found: DurableHead, from: number): Response {
  const encoder = new TextEncoder();
  const texts = eventsOf(context, found, from);
  let isOver = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    // Called when the client has room, so that a client that does not read takes no memory.
    async pull(controller) {
      const { done, value } = await texts.next();
      if (isOver) return;
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel() {
      isOver = true;
      texts.return().catch(() => {}); // A failed read, which no longer matters.
    },
  });
  const encoding: Record<string, string> = isText(found.contentType)
    ? {}
    : { "stream-sse-data-encoding": "base64" };
  const headers = { ...SAFE, "content-type": "text/event-stream", "cache-control": "no-cache" };
  return new Response(body, { headers: { ...headers, ...encoding } });
}

/** Reads the events of one response: messages, and after them the position. */
async function* eventsOf(
  context: DurableReadContext,
  found: DurableHead,
  from: number,
): AsyncGenerator<string, void> {
  const until = performance.now() + context.sseMs;
  let after = from;
  let head = found;
  for (let isFirst = true;; isFirst = false) {
    const parts = await context.log.read(head, after, MAX_BYTES);
    after = parts.at(-1)?.end ?? after;
    const isEnd = after === head.end;
    const data = parts.length === 0
      ? ""
      : encodeEvent(head.contentType, encodeBody(head.contentType, parts));
    if (data !== "" || isFirst || (isEnd && head.isClosed)) {
      yield data + control(context, head, after);
    }
    if (isEnd && head.isClosed) return;
    if (!isEnd) continue;
    if (performance.now() >= until) return;
    await context.changed(until - performance.now());
    const entry = await context.log.head();
    if (entry?.value.id !== found.id) return;
    head = entry.value;
  }
}

function control(context: DurableReadContext, head: DurableHead, offset: number): string {
  const isEnd = offset === head.end;
  const data = {
    streamNextOffset: tokenOf(offset),
    ...isEnd && head.isClosed ? { streamClosed: true } : { streamCursor: cursorOf(context) },
    ...isEnd ? { upToDate: true } : {},
  };
  return `event: control\ndata:${JSON.stringify(data)}\n\n`;
}

function headersOf(context: DurableReadContext, head: DurableHead, end: number) {
  const isEnd = end === head.end;
  const headers: Record<string, string> = {
    ...SAFE,
    "cache-control": "private, no-cache",
    "stream-next-offset": tokenOf(end),
    "stream-cursor": cursorOf(context),
  };
  if (isEnd) headers["stream-up-to-date"] = "true";
  if (isEnd && head.isClosed) headers["stream-closed"] = "true";
  return headers;
}

function cursorOf({ url }: DurableReadContext): string {
  return nextCursor(url.searchParams.get("cursor"), Date.now());
}
