interface Waiting {
  data: string | Uint8Array;
  readonly key: string | undefined;
}

/** Messages that wait for a peer to make room, in order. */
export class Backlog {
  #waiting: Waiting[] = [];
  #head = 0;
  #byKey: Map<string, Waiting> | undefined;
  #bytes = 0;

  /** Bytes (of text: UTF-16 code units) that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that wait. */
  get count(): number {
    return this.#waiting.length - this.#head;
  }

  /** Adds a message; one that waits with the same key is replaced, in its place. Returns how many. */
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

  /** Takes out what has waited longest. */
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
