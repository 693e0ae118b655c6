/**
 * Local channels that are leaving a group. Until the removal is confirmed, a message to the group may
 * still reach them twice: as a local member, and as a member that another process added.
 */
export class LeavingMembers {
  readonly #counts = new Map<string, number>();

  /** Whether a channel is leaving a group. */
  has(group: string, channel: string): boolean {
    return this.#counts.has(key(group, channel));
  }

  /** Marks a channel as leaving until `removed` settles. Several removals may overlap. */
  async note(group: string, channel: string, removed: Promise<unknown>): Promise<void> {
    const name = key(group, channel);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    try {
      await removed;
    } catch { /* It has left the local group in any case. */ }
    const others = this.#counts.get(name)! - 1;
    if (others > 0) this.#counts.set(name, others);
    else this.#counts.delete(name);
  }
}

/** Unambiguous, because names contain no spaces. */
function key(group: string, channel: string): string {
  return `${group} ${channel}`;
}
