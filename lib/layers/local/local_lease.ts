import type { Clock } from "../../core/clock.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import type { Lease } from "../channel_layer.ts";

/** What a {@linkcode LocalLease} is given. */
export interface LocalLeaseContext {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Called when the message was acknowledged. */
  acked(): void;
  /** Called when the message is free again, with the number of attempts so far. */
  freed(attempts: number): void;
}

/** A lease of a message that is held in this process. */
export class LocalLease implements Lease {
  readonly message: LayerMessage;
  readonly #context: LocalLeaseContext;
  #attempt: number;
  #isOver = false;
  #cancelEnd!: () => void;

  constructor(message: LayerMessage, attempt: number, context: LocalLeaseContext) {
    this.message = message;
    this.#attempt = attempt;
    this.#context = context;
    this.#begin();
  }

  get attempt(): number {
    return this.#attempt;
  }

  get durationMs(): number {
    return this.#context.leaseMs;
  }

  ack(): Promise<boolean> {
    return this.#end(() => this.#context.acked());
  }

  renew({ attempts = this.#attempt }: { readonly attempts?: number } = {}): Promise<boolean> {
    if (this.#isOver) return Promise.resolve(false);
    this.#attempt = attempts;
    this.#cancelEnd();
    this.#begin();
    return Promise.resolve(true);
  }

  release({ attempts = this.#attempt }: { readonly attempts?: number } = {}): Promise<boolean> {
    return this.#end(() => this.#context.freed(attempts));
  }

  /** Ends the lease without settling it. */
  drop(): void {
    this.#isOver = true;
    this.#cancelEnd();
  }

  #begin(): void {
    const { clock, leaseMs } = this.#context;
    this.#cancelEnd = clock.after(leaseMs, () => void this.release().catch(() => {}));
  }

  #end(settle: () => void): Promise<boolean> {
    if (this.#isOver) return Promise.resolve(false);
    this.drop();
    settle();
    return Promise.resolve(true);
  }
}
