import type { Lease } from "../layers/mod.ts";
import type { Clock } from "../core/clock.ts";

/** Renews a lease after every third of its duration, until it is stopped or the lease is lost. */
export class LeaseKeeper {
  readonly #lease: Lease;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  #isStopped = false;
  #cancel: (() => void) | undefined;

  constructor(lease: Lease, clock: Clock) {
    this.#lease = lease;
    this.#clock = clock;
    this.#renewLater();
  }

  /** Aborts when another worker has the message. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Renews the lease now, and records the number of the attempt that begins. */
  async renew(attempts: number = this.#lease.attempt): Promise<void> {
    try {
      if (await this.#lease.renew({ attempts }) || this.#isStopped) return;
      this.#lost.abort(new Error("The lease is lost: another worker has the message"));
    } catch {
      // If the lease is lost, a later call detects it once the layer is reachable again.
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #renewLater(): void {
    if (this.#isStopped || this.lost.aborted) return;
    this.#cancel = this.#clock.after(this.#lease.durationMs / 3, async () => {
      await this.renew();
      this.#renewLater();
    });
  }
}
