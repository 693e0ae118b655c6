import { assertChannelName, reservedName } from "./names.ts";

/** Channels without a mailbox that are remembered: names that wait for an answer. */
const MAX_UNUSED = 10_000;

/** Makes the names of one process's channels: `<prefix>.<process>!<serial>`. */
export class ChannelNames {
  /** Names this process, or this layer of it; 72 random bits. */
  readonly process: string = randomName();
  readonly #unused = new Set<string>();
  #serial = 0;

  /** Returns a name that is new in the whole system. */
  next(prefix: string): string {
    const channel = `${prefix}.${this.process}!${(++this.#serial).toString(36)}`;
    assertChannelName(channel);
    return this.#note(channel);
  }

  /** Returns a name for a channel of Sluice's own. */
  nextReserved(prefix: string): string {
    const channel = this.next(prefix);
    this.#unused.delete(channel);
    return this.#note(reservedName(channel));
  }

  #note(channel: string): string {
    this.#unused.add(channel);
    if (this.#unused.size > MAX_UNUSED) this.#forgetOldest();
    return channel;
  }

  /** Notes that a mailbox was attached: when it leaves, the channel is over. */
  use(channel: string): void {
    this.#unused.delete(channel);
  }

  /** Whether the channel was made here and never had a mailbox: somebody may still come for it. */
  isUnused(channel: string): boolean {
    return this.#unused.has(channel);
  }

  /** Whether the channel was made here. */
  owns(channel: string): boolean {
    return ownerOf(channel) === this.process;
  }

  #forgetOldest(): void {
    for (const oldest of this.#unused) {
      this.#unused.delete(oldest);
      return;
    }
  }
}

/** Returns the process that a channel lives in; `undefined` for a durable channel. */
export function ownerOf(channel: string): string | undefined {
  const mark = channel.indexOf("!");
  if (mark < 0) return undefined;
  return channel.slice(channel.lastIndexOf(".", mark) + 1, mark);
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
