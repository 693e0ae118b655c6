/** A structured log. Fields must not contain secrets. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** The fields of a log line besides its message. */
export type LogFields = Readonly<Record<string, unknown>>;
