import { CloseCode, Refusal } from "../protocol/mod.ts";
import type { Clock, Connection } from "../scope.ts";
import { Pace } from "./pace.ts";

/** Longest time within which a client is asked to come back, in milliseconds. */
const MAX_RETRY_MS = 1_000;

/** As many as this may come back at once: fewer are not made to wait for each other. */
const COMEBACKS_PER_SECOND = 100;

/** Turns of the golden section are spread evenly, however many there are. */
const GOLDEN = 0.618_033_988_75;

/**
 * Ends the connections of a server that is about to stop, spread over a window.
 *
 * Each has a moment of its own, evenly spaced, and is asked to come back before the next one's: so
 * clients come back evenly where another server takes them. Those that come back to this one are
 * refused, and told to come after its end, spread over as long a time again.
 */
export class Drain {
  readonly #clock: Clock;
  readonly #random: () => number;
  #endsAt: number | undefined;
  /** Over which time those that were refused are spread, in milliseconds. */
  #spreadMs = 0;
  #refused = 0;
  #reason = "retry=0";

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  get isDraining(): boolean {
    return this.#endsAt !== undefined;
  }

  /** The answer to a request that comes meanwhile. */
  refusal(): Refusal {
    const leftMs = Math.max(0, (this.#endsAt ?? 0) - this.#clock.elapsed());
    const spreadMs = (this.#refused++ * GOLDEN % 1) * this.#spreadMs;
    return new Refusal("DRAINING", { retryAfterSeconds: (leftMs + spreadMs) / 1000 + 1 });
  }

  /** Ends each connection at its own moment of the window. Resolves when all have ended. */
  run(connections: readonly Connection[], windowMs: number): Promise<void> {
    this.#endsAt ??= this.#clock.elapsed() + windowMs;
    if (connections.length === 0) return Promise.resolve();
    this.#spreadMs = Math.min(windowMs, 1000 * connections.length / COMEBACKS_PER_SECOND);
    const step = windowMs / connections.length;
    this.#reason = `retry=${Math.min(MAX_RETRY_MS, Math.ceil(step))}`;
    return new Promise((resolve) => {
      let left = connections.length;
      const ended = () => {
        if (--left === 0) resolve();
      };
      for (const connection of connections) connection.onEnd(ended);
      const end = (index: number) => this.#end(connections[index]!);
      new Pace(this.#clock, { count: connections.length, windowMs, phase: this.#random(), end })
        .start();
    });
  }

  #end(connection: Connection): void {
    connection.end(CloseCode.restart, this.#reason);
  }
}
