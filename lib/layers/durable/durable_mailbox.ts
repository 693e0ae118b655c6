import type { Clock } from "../../core/clock.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";
import type { Mailbox } from "../channel_layer.ts";
import type { DurableLease } from "./durable_lease.ts";

/** What a {@linkcode DurableMailbox} is given. */
export interface DurableMailboxContext {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** Called when the mailbox accepts messages again. */
  opened(): void;
}

/** Maximum number of refused messages that are held for a mailbox. */
const MAX_HELD = 16;
const MIN_PAUSE_MS = 100;

/**
 * Hands leased messages to a mailbox, and acknowledges those that it takes. A refused message stays
 * leased and is offered again after a pause that doubles, up to a third of the lease.
 */
export class DurableMailbox {
  readonly #mailbox: Mailbox;
  readonly #context: DurableMailboxContext;
  readonly #settling = new Set<Promise<unknown>>();
  #held: DurableLease[] = [];
  #isFull = false;
  #isOver = false;
  #refusals = 0;
  #cancelPause: (() => void) | undefined;

  constructor(mailbox: Mailbox, context: DurableMailboxContext) {
    this.#mailbox = mailbox;
    this.#context = context;
  }

  /** Whether to lease more messages for the mailbox. */
  get isOpen(): boolean {
    return !this.#isFull && this.#held.length < MAX_HELD;
  }

  take(lease: DurableLease): void {
    if (this.#isOver) return this.#settle(lease.release({ attempts: lease.attempt - 1 }));
    if (!this.#isFull && this.#offer(lease)) {
      this.#refusals = 0;
      return this.#settle(lease.ack());
    }
    this.#held.push(lease);
    const { clock, leaseMs } = this.#context;
    const waitMs = retryPauseMs(this.#refusals, { minMs: MIN_PAUSE_MS, maxMs: leaseMs / 3 });
    this.#cancelPause ??= clock.after(waitMs, () => void this.#offerAgain().catch(() => {}));
  }

  /** Detaches the mailbox. Resolves when all messages are acknowledged or released, if possible. */
  async leave(): Promise<void> {
    this.#isOver = true;
    this.#cancelPause?.();
    for (const lease of this.#held.splice(0)) this.#settle(lease.release());
    await Promise.all(this.#settling);
  }

  /** A mailbox that throws refuses this message; the next one is still offered. */
  #offer({ message }: DurableLease): boolean {
    try {
      this.#isFull = !this.#mailbox.deliver(message);
      return !this.#isFull;
    } catch {
      return false;
    }
  }

  async #offerAgain(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    this.#isFull = false;
    this.#refusals++;
    const renewed = await Promise.all(held.map((lease) => this.#renew(lease)));
    this.#cancelPause = undefined;
    for (const [index, lease] of held.entries()) if (renewed[index]) this.take(lease);
    if (this.isOpen && !this.#isOver) this.#context.opened();
  }

  /** Returns false if another reader has or will get the message. */
  async #renew(lease: DurableLease): Promise<boolean> {
    try {
      return await lease.renew({ attempts: lease.attempt + 1 });
    } catch {
      return lease.isHeld;
    }
  }

  #settle(outcome: Promise<unknown>): void {
    const settled = outcome.catch(() => {}).finally(() => this.#settling.delete(settled));
    this.#settling.add(settled);
  }
}
