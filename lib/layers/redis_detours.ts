/** Something that was sent to a node which does not have what it is about any more. */
export interface Held {
  /** Its place among what was asked for. */
  readonly serial: number;
  /** Tries until it is through, or too late. Returns whether it is through. */
  alone(): Promise<boolean>;
  /** Tries once; is held again where that was in vain. */
  along(): void;
}

/**
 * Keeps the order of what is asked for one name, while that moves from node to node: the first that was
 * held up looks for the way alone; when it is through, the others follow in their order.
 */
export class RedisDetours {
  readonly #lines = new Map<string, Held[]>();

  /** Whether something is held up, and what is asked now has to wait behind it. */
  has(name: string): boolean {
    return this.#lines.has(name);
  }

  /**
   * Holds something. `fence` resolves when all that was on its way before is held too, or settled: it
   * is called for the first one.
   */
  hold(name: string, held: Held, fence: () => Promise<unknown>): void {
    const line = this.#lines.get(name);
    if (line === undefined) {
      const begun = [held];
      this.#lines.set(name, begun);
      void this.#lead(name, begun, fence);
      return;
    }
    const before = line.findLastIndex(({ serial }) => serial < held.serial);
    line.splice(before + 1, 0, held);
  }

  async #lead(name: string, line: Held[], fence: () => Promise<unknown>): Promise<void> {
    await fence().catch(() => {});
    let isThrough = false;
    while (!isThrough && line.length > 0) isThrough = await line.shift()!.alone();
    this.#lines.delete(name);
    for (const held of line) held.along();
  }
}
