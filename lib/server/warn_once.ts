import type { Log, LogFields } from "../core/log.ts";

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
