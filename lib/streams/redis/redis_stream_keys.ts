import { createHash } from "node:crypto";

/**
 * The names of a stream store in Redis: `<prefix>:<database>:{…}`, each in one slot of a cluster. No
 * character of a stream's name has a special meaning in them.
 */
export class RedisStreamKeys {
  readonly #root: string;

  constructor(prefix: string, database: number) {
    this.#root = `${prefix}:${database}`;
  }

  /** A key that never exists. */
  get proof(): string {
    return `${this.#root}:{s}:proof`;
  }

  /** The key of a stream. */
  stream(name: string): string {
    return `${this.#root}:{s:${name}}`;
  }

  /** The key of a claimed command. */
  claim(key: string): string {
    return `${this.#root}:{k:${this.field(key)}}`;
  }

  /** The name of an append's key within its stream: a hash, because keys may contain any character. */
  field(key: string): string {
    return createHash("sha256").update(key).digest("base64url");
  }
}
