import type { LayerGap, LayerMessage, Mailbox } from "../../layers/mod.ts";

/** A mailbox that stores messages, so that a test can wait for them. */
export class LayerInbox implements Mailbox {
  readonly messages: LayerMessage[] = [];
  readonly gaps: LayerGap[] = [];
  /** Number of messages that it accepts. */
  capacity: number = Infinity;
  #changed = Promise.withResolvers<void>();

  /** The types of the messages, in order of arrival. */
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

  /** Waits until `condition` holds; checked after every message and gap. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  /** Waits for `count` messages in total and returns them. */
  async wait(count: number): Promise<LayerMessage[]> {
    await this.until(() => this.messages.length >= count);
    return this.messages;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
