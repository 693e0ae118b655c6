import { assertLayerPrefix } from "../input.ts";

/**
 * The names of a layer in Redis: `<prefix>:<database>:{…}`.
 *
 * They contain the database number because pub/sub ignores databases. The names that one script uses
 * share a hash tag, so that they are in one slot of a cluster. No character of a channel or group name
 * has a special meaning in them.
 */
export class RedisKeys {
  /** The part of all names before the hash tag. */
  readonly root: string;

  /** @throws {TypeError} The prefix is invalid. */
  constructor(prefix: string, database: number) {
    assertLayerPrefix(prefix);
    this.root = `${prefix}:${database}`;
  }

  /** The pub/sub channel of a group. */
  group(group: string): string {
    return `${this.root}:{g:${group}}`;
  }

  /** The key of a group's stored members: durable ones, and those that another process added. */
  members(group: string): string {
    return `${this.group(group)}:members`;
  }

  /** The pub/sub channel for messages to the channels of a process. */
  inbox(process: string): string {
    return `${this.root}:{p:${process}}`;
  }

  /** The key of a durable channel's messages. */
  queue(channel: string): string {
    return `${this.wakeup(channel)}:queue`;
  }

  /** The pub/sub channel that announces new messages of a durable channel. */
  wakeup(channel: string): string {
    return `${this.root}:{c:${channel}}`;
  }
}
