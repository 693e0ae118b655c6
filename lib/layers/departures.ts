/**
 * Channels of this process that are being taken out of a group, while its messages may be on their way
 * to them twice: as to a member here, and as to one that another process added.
 */
export class Departures {
  readonly #counts = new Map<string, number>();

  /** Whether a channel is on its way out of a group. */
  has(group: string, channel: string): boolean {
    return this.#counts.has(key(group, channel));
  }

  /** Notes that a channel leaves, until `isOver` settles: it may leave more than once at a time. */
  async note(group: string, channel: string, isOver: Promise<unknown>): Promise<void> {
    const name = key(group, channel);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    try {
      await isOver;
    } catch { /* It has left here all the same. */ }
    const others = this.#counts.get(name)! - 1;
    if (others > 0) this.#counts.set(name, others);
    else this.#counts.delete(name);
  }
}

/** No name has a space in it. */
function key(group: string, channel: string): string {
  return `${group} ${channel}`;
}
