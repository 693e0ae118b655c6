import { pid } from "node:process";

/** A structured log. Fields must not contain secrets. */
export interface Log {
  /** Details for the search of a fault. */
  debug(message: string, fields?: LogFields): void;
  /** Events of normal operation. */
  info(message: string, fields?: LogFields): void;
  /** Problems that the process copes with. */
  warn(message: string, fields?: LogFields): void;
  /** Faults that need a look. */
  error(message: string, fields?: LogFields): void;
}

/**
 * The fields of a log line besides its message.
 *
 * @internal
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** Log levels, from the least to the most urgent. */
const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

type LogLevel = typeof LOG_LEVELS[number];

/**
 * Creates a log that writes one line per entry, with the process id as `pid`.
 *
 * An `Error` among the fields is written with its stack and cause: below the line in `text`, inside
 * the object in `json`. *Security*: fields are not redacted; keep secrets out of them.
 *
 * @example
 * ```ts
 * import { createLog } from "@sluice/sluice/server";
 * import assert from "node:assert/strict";
 *
 * const lines: string[] = [];
 * const log = createLog({ format: "json", write: (line) => lines.push(line) });
 * log.info("Started", { port: 8000 });
 * log.debug("not written");
 * assert.equal(lines.length, 1);
 * assert.equal(JSON.parse(lines[0]!).port, 8000);
 * ```
 */
export function createLog(options: {
  /** The lowest level that is written. @default {"info"} */
  readonly level?: "debug" | "info" | "warn" | "error";
  /** `text` for humans or `json` for machines, one object per line. @default {"text"} */
  readonly format?: "text" | "json";
  /** Writes one line. Defaults to standard error. */
  readonly write?: (line: string) => void;
  readonly now?: () => number;
} = {}): Log {
  const { level = "info", format = "text", write = (line) => console.error(line) } = options;
  const now = options.now ?? (() => Date.now());
  const least = LOG_LEVELS.indexOf(level);
  const line = format === "json" ? jsonLine : textLine;
  const at = (name: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(name) < least) return;
    write(line(new Date(now()).toISOString(), name, message, fields));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Logs to standard error, from level `info`. */
export const consoleLog: Log = createLog();

function jsonLine(time: string, level: string, message: string, fields: LogFields): string {
  return JSON.stringify({ time, level, pid, message, ...fields }, (_key, value) => plain(value));
}

function textLine(time: string, level: string, message: string, fields: LogFields): string {
  const stacks: string[] = [];
  const words = Object.entries(fields).filter(([, value]) => value !== undefined).map(
    ([name, value]) => {
      if (value instanceof Error) stacks.push(stackOf(value));
      return `${name}=${value instanceof Error ? value.name : textOf(value)}`;
    },
  );
  const first = [time, level.toUpperCase().padEnd(5), message, `pid=${pid}`, ...words].join(" ");
  return [first, ...stacks].join("\n");
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, (_key, v) => plain(v));
  return /^[\w.:/@+-]+$/.test(text ?? "") ? text : JSON.stringify(text);
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, stack: stackOf(value) };
  return typeof value === "bigint" ? String(value) : value;
}

function stackOf(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}

const warned = new WeakMap<Log, Set<string>>();

/**
 * Logs a warning the first time and a `debug` line afterwards, because clients can cause any number.
 */
export function warnOnce(log: Log, message: string, fields: LogFields): void {
  let messages = warned.get(log);
  if (messages === undefined) warned.set(log, messages = new Set());
  if (messages.has(message)) return log.debug(message, fields);
  messages.add(message);
  log.warn(message, fields);
}
