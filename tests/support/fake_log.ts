import type { Log, LogFields } from "../../lib/core/log.ts";

/** A line of a {@linkcode FakeLog}. */
export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A log that records its lines. */
export class FakeLog implements Log {
  /** The lines so far. */
  readonly lines: LoggedLine[] = [];

  /** All lines as one text, errors with their stacks. */
  get text(): string {
    return this.lines.map(({ level, message, fields }) =>
      `${level} ${message} ${JSON.stringify(fields, withStacks)}`
    ).join("\n");
  }

  /** Records a line. */
  debug(message: string, fields?: LogFields): void {
    this.lines.push({ level: "debug", message, fields });
  }

  /** Records a line. */
  info(message: string, fields?: LogFields): void {
    this.lines.push({ level: "info", message, fields });
  }

  /** Records a line. */
  warn(message: string, fields?: LogFields): void {
    this.lines.push({ level: "warn", message, fields });
  }

  /** Records a line. */
  error(message: string, fields?: LogFields): void {
    this.lines.push({ level: "error", message, fields });
  }
}

function withStacks(_: string, value: unknown): unknown {
  return value instanceof Error ? `${value.stack} ${value.cause}` : value;
}
