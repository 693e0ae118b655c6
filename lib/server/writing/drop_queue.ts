interface Waiting {
  data: string | Uint8Array;
  readonly key: string | undefined;
}

/** The messages that are queued until the peer has room for them, in order. */
export class DropQueue {
  #waiting: Waiting[] = [];
  #head = 0;
  #byKey: Map<string, Waiting> | undefined;
  #bytes = 0;

  /** Size of the queued messages: bytes, or UTF-16 code units of text. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of queued messages. */
  get count(): number {
    return this.#waiting.length - this.#head;
  }

  /**
   * Adds a message, or replaces the queued message with the same key in its place. Returns how many
   * messages were replaced.
   */
  push(data: string | Uint8Array, key: string | undefined): number {
    this.#bytes += data.length;
    const known = key === undefined ? undefined : this.#byKey?.get(key);
    if (known !== undefined) {
      this.#bytes -= known.data.length;
      known.data = data;
      return 1;
    }
    const entry = { data, key };
    this.#waiting.push(entry);
    if (key !== undefined) (this.#byKey ??= new Map()).set(key, entry);
    return 0;
  }

  /** Removes and returns the oldest message. */
  shift(): string | Uint8Array | undefined {
    const entry = this.#waiting[this.#head];
    if (entry === undefined) return undefined;
    this.#head++;
    this.#bytes -= entry.data.length;
    if (entry.key !== undefined) this.#byKey?.delete(entry.key);
    if (this.#head > 64 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return entry.data;
  }
}
