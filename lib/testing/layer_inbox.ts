import type { LayerGap, LayerMessage, Mailbox } from "../layers/mod.ts";

/** A mailbox that keeps what comes, so that a test can wait for it. */
export class LayerInbox implements Mailbox {
  readonly messages: LayerMessage[] = [];
  readonly gaps: LayerGap[] = [];
  /** Messages that it takes before it is full. */
  capacity: number = Infinity;
  #changed = Promise.withResolvers<void>();

  /** The types of the messages, in the order in which they came. */
  get types(): string[] {
    return this.messages.map((message) => message.type);
  }

  deliver(message: LayerMessage): boolean {
    if (this.messages.length >= this.capacity) return false;
    this.messages.push(message);
    this.#wake();
    return true;
  }

  gap(gap: LayerGap): void {
    this.gaps.push(gap);
    this.#wake();
  }

  /** Waits until `condition` holds; it is looked at after every message and gap. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  /** Waits for `count` messages in all, and returns them. */
  async wait(count: number): Promise<LayerMessage[]> {
    await this.until(() => this.messages.length >= count);
    return this.messages;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
