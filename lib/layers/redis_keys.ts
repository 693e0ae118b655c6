import { assertLayerPrefix } from "./names.ts";

/**
 * The names that a layer uses in Redis: `<prefix>:<database>:{…}`.
 *
 * The number of the database is part of them because pub/sub knows no databases. What one script
 * touches has the same hash tag, so that it is in one slot of a cluster. No character of a channel or
 * group has a meaning in them.
 */
export class RedisKeys {
  /** What all names begin with, up to the hash tag. */
  readonly root: string;

  /** @throws {TypeError} The prefix cannot be used. */
  constructor(prefix: string, database: number) {
    assertLayerPrefix(prefix);
    this.root = `${prefix}:${database}`;
  }

  /** Where messages to a group are published. */
  group(group: string): string {
    return `${this.root}:{g:${group}}`;
  }

  /** The members of a group that live in no process, or were added by another one. */
  members(group: string): string {
    return `${this.group(group)}:members`;
  }

  /** Where messages to channels of a process are published. */
  inbox(process: string): string {
    return `${this.root}:{p:${process}}`;
  }

  /** The messages that wait in a durable channel. */
  queue(channel: string): string {
    return `${this.bell(channel)}:queue`;
  }

  /** Where it is published that something waits. */
  bell(channel: string): string {
    return `${this.root}:{c:${channel}}`;
  }
}
