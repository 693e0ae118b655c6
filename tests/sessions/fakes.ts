import { Buffer } from "node:buffer";
import type { Connection, ConnectionEnd, EndListener } from "../../lib/core/connection.ts";
import type { Log, LogFields } from "../../lib/core/log.ts";
import type { OriginScope } from "../../lib/core/scope.ts";
import type { Refusal } from "../../lib/protocol/mod.ts";
import { parseCookies } from "../../lib/protocol/cookies.ts";
import type { SubscribedConnection } from "../../lib/sessions/connections/session_subscription.ts";

/** A connection without a network. */
export class FakeConnection implements SubscribedConnection {
  readonly id: string;
  readonly log = new FakeLog();
  phase: Connection["phase"] = "deciding";
  lastReceivedAt = 0;
  ended: ConnectionEnd | undefined;
  refusal: Refusal | undefined;
  readonly #listeners = new Set<EndListener>();

  constructor(id = "c1") {
    this.id = id;
  }

  get listeners(): number {
    return this.#listeners.size;
  }
  accept(): void {
    if (this.phase === "deciding") this.phase = "open";
  }
  refuse(refusal: Refusal): void {
    if (this.phase === "deciding") this.refusal ??= refusal;
  }
  end(code: number, reason = "", byServer = true): void {
    if (this.phase === "ended") return;
    this.phase = "ended";
    this.ended = { code, reason, byServer };
    for (const listener of [...this.#listeners]) tell(listener, this.ended);
  }
  onEnd(listener: EndListener): void {
    if (this.ended) tell(listener, this.ended);
    else this.#listeners.add(listener);
  }
  offEnd(listener: EndListener): void {
    this.#listeners.delete(listener);
  }
}

function tell(listener: EndListener, end: ConnectionEnd): void {
  if (typeof listener === "function") listener(end);
  else listener.ended(end);
}

/** The scope of a request. */
export function fakeScope(
  address: string,
  options: { cookie?: string; authorization?: string } = {},
): OriginScope & {
  readonly connection: FakeConnection;
} {
  const url = new URL(address);
  const scope: Omit<OriginScope, "connection"> & { connection: FakeConnection } = {
    type: "websocket",
    id: "c1",
    method: "GET",
    url,
    path: url.pathname,
    query: url.searchParams,
    headers: new Headers(options),
    cookies: parseCookies(options.cookie),
    subprotocols: [],
    ticket: undefined,
    address: "192.0.2.1",
    params: {},
    pathRemaining: url.pathname,
    originChecked: true,
    connection: new FakeConnection(),
  };
  return scope as unknown as OriginScope & { readonly connection: FakeConnection };
}

/** A log that records its lines. */
export class FakeLog implements Log {
  readonly lines: { level: string; message: string; fields: LogFields | undefined }[] = [];

  /** All lines as one text, errors with their stacks. */
  get text(): string {
    return this.lines.map((line) =>
      `${line.level} ${line.message} ` +
      JSON.stringify(
        line.fields,
        (_, value) => value instanceof Error ? `${value.stack} ${value.cause}` : value,
      )
    ).join("\n");
  }
  debug(message: string, fields?: LogFields): void {
    this.lines.push({ level: "debug", message, fields });
  }
  info(message: string, fields?: LogFields): void {
    this.lines.push({ level: "info", message, fields });
  }
  warn(message: string, fields?: LogFields): void {
    this.lines.push({ level: "warn", message, fields });
  }
  error(message: string, fields?: LogFields): void {
    this.lines.push({ level: "error", message, fields });
  }
}

/** Returns `text` with one character changed at `index`. */
export function tampered(text: string, index: number): string {
  const other = text[index] === "A" ? "B" : "A";
  return text.slice(0, index) + other + text.slice(index + 1);
}

/** Base64url of `size` bytes of one value. */
export function filler(size: number, byte = 0): string {
  return Buffer.alloc(size, byte).toString("base64url");
}

/**
 * Characters other than SP and HTAB that are valid in a header and that `String.trim()` or `\s`
 * treat as white space.
 */
export const OTHER_BLANKS: readonly string[] = [
  ..."\u0001\u000b\u000c\u001f\u007f\u0080\u0085\u009f\u00a0\u00ad",
];
