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
