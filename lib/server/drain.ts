import { CloseCode, Refusal } from "../protocol/mod.ts";
import type { Clock } from "../core/clock.ts";
import type { Connection } from "../core/connection.ts";
import { PacedRunner } from "../time/paced_runner.ts";

/** Longest reconnection delay that a close frame asks for, in milliseconds. */
const MAX_RETRY_MS = 1_000;

/** Clients that may reconnect per second. Up to this many are not spread out. */
const RECONNECTS_PER_SECOND = 100;

/** Multiples of the golden ratio, modulo 1, are evenly spread for any count. */
const GOLDEN = 0.618_033_988_75;

/**
 * Ends the connections of a stopping server, spread over a window.
 *
 * Connections end at even intervals, and each client is asked to reconnect before the next connection
 * ends, so another server sees an even load. Clients that reconnect to this server are refused with a
 * delay that extends past its end, spread over the same time again.
 */
export class Drain {
  readonly #clock: Clock;
  readonly #random: () => number;
  #endsAt: number | undefined;
  /** Period over which refused clients are spread, in milliseconds. */
  #spreadMs = 0;
  #refused = 0;
  #reason = "retry=0";

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Returns the refusal of a request received while draining. */
  refusal(): Refusal {
    const leftMs = Math.max(0, (this.#endsAt ?? 0) - this.#clock.elapsed());
    const spreadMs = (this.#refused++ * GOLDEN % 1) * this.#spreadMs;
    return new Refusal("DRAINING", { retryAfterSeconds: (leftMs + spreadMs) / 1000 + 1 });
  }

  /** Ends the connections one by one over the window. Resolves when all have ended. */
  run(connections: readonly Connection[], windowMs: number): Promise<void> {
    this.#endsAt ??= this.#clock.elapsed() + windowMs;
    if (connections.length === 0) return Promise.resolve();
    this.#spreadMs = Math.min(windowMs, 1000 * connections.length / RECONNECTS_PER_SECOND);
    const step = windowMs / connections.length;
    this.#reason = `retry=${Math.min(MAX_RETRY_MS, Math.ceil(step))}`;
    return new Promise((resolve) => {
      let left = connections.length;
      const ended = () => {
        if (--left === 0) resolve();
      };
      for (const connection of connections) connection.onEnd(ended);
      const end = (index: number) => this.#end(connections[index]!);
      new PacedRunner(this.#clock, {
        count: connections.length,
        windowMs,
        phase: this.#random(),
        end,
      })
        .start();
    });
  }

  #end(connection: Connection): void {
    connection.end(CloseCode.restart, this.#reason);
  }
}
