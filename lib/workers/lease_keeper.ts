import type { Lease } from "../layers/mod.ts";
import type { Clock } from "../scope.ts";

/** Renews a lease after each third of its time, until it is stopped or the lease is lost. */
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

  /** Renews the lease now; `attempts` notes the attempt that begins. */
  async renew(attempts: number = this.#lease.attempt): Promise<void> {
    try {
      if (await this.#lease.renew({ attempts }) || this.#isStopped) return;
      this.#lost.abort(new Error("The lease is lost: another worker has the message"));
    } catch {
      // Whether the lease is lost shows when the layer can be reached again.
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
