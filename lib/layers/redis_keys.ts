const PREFIX = /^[\w.-]+(?::[\w.-]+)*$/;

/**
 * The names that a layer uses in Redis.
 *
 * What one script touches has the same hash tag, so that it is in one slot of a cluster. No character
 * of a channel or group has a meaning in them.
 */
export class RedisKeys {
  readonly prefix: string;

  /** @throws {TypeError} The prefix has other characters than letters, digits, `-`, `_`, `.`, `:`. */
  constructor(prefix: string) {
    if (!PREFIX.test(prefix)) {
      throw new TypeError(`Cannot use the prefix ${JSON.stringify(prefix)} in Redis`);
    }
    this.prefix = prefix;
  }

  /** Where messages to a group are published. */
  group(group: string): string {
    return `${this.prefix}:{g:${group}}`;
  }

  /** The members of a group that live in no process, or were added by another one. */
  members(group: string): string {
    return `${this.group(group)}:members`;
  }

  /** Where messages to channels of a process are published. */
  inbox(process: string): string {
    return `${this.prefix}:{p:${process}}`;
  }

  /** What waits in a durable channel. */
  queue(channel: string): string {
    return `${this.bell(channel)}:queue`;
  }

  /** Where it is published that something waits. */
  bell(channel: string): string {
    return `${this.prefix}:{c:${channel}}`;
  }
}
