/** Something that was sent to a node which does not have what it is about any more. */
export interface Held {
  /** Its place among what was asked for. */
  readonly serial: number;
  /** Tries until it is through, or too late. Returns whether it is through. */
  alone(): Promise<boolean>;
  /** Tries once; is held again where that was in vain. */
  along(): void;
}

/** What is on its way for one name, all to one node. */
interface Flight {
  readonly to: unknown;
  count: number;
  readonly landed: PromiseWithResolvers<void>;
}

/**
 * Keeps the order of what is asked for one name, while that moves from node to node. Nothing goes to a
 * node while something is under way to another one. Of what was sent in vain, the first looks for the
 * way alone; when it is through, the others follow in their order.
 */
export class RedisDetours {
  readonly #flights = new Map<string, Flight>();
  readonly #lines = new Map<string, Held[]>();

  /** Whether something is before what is asked of a node now: that has to be held, too. */
  isBefore(name: string, to: unknown): boolean {
    const flight = this.#flights.get(name);
    return this.#lines.has(name) || (flight !== undefined && flight.to !== to);
  }

  /** Notes that something goes to a node. Returns what to call when it is through, or held. */
  leave(name: string, to: unknown): () => void {
    let flight = this.#flights.get(name);
    if (flight === undefined) {
      flight = { to, count: 0, landed: Promise.withResolvers<void>() };
      this.#flights.set(name, flight);
    }
    flight.count++;
    return () => {
      if (--flight.count > 0) return;
      this.#flights.delete(name);
      flight.landed.resolve();
    };
  }

  /** Holds something until its turn. */
  hold(name: string, held: Held): void {
    const line = this.#lines.get(name);
    if (line === undefined) {
      const begun = [held];
      this.#lines.set(name, begun);
      void this.#lead(name, begun);
      return;
    }
    const before = line.findLastIndex(({ serial }) => serial < held.serial);
    line.splice(before + 1, 0, held);
  }

  async #lead(name: string, line: Held[]): Promise<void> {
    await this.#flights.get(name)?.landed.promise;
    let isThrough = false;
    while (!isThrough && line.length > 0) isThrough = await line.shift()!.alone();
    this.#lines.delete(name);
    for (const held of line) held.along();
  }
}
