import { assertChannelName, reservedName } from "./input.ts";

/** Limit of remembered names that have no mailbox yet, such as reply addresses. */
const MAX_UNUSED = 10_000;

/** Creates names for the channels of one process: `<prefix>.<process>!<serial>`. */
export class ChannelNames {
  /** The id of this process, or of this layer within it; 72 random bits. */
  readonly process: string = randomName();
  readonly #unused = new Set<string>();
  #serial = 0;

  /** Returns a name that is unique in the whole system. */
  next(prefix: string): string {
    const channel = `${prefix}.${this.process}!${(++this.#serial).toString(36)}`;
    assertChannelName(channel);
    return this.#note(channel);
  }

  /** Returns a name for an internal channel. */
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

  /** Records that a mailbox was attached: the channel ends when it is detached. */
  use(channel: string): void {
    this.#unused.delete(channel);
  }

  /** Whether the channel was created here and never had a mailbox, so a reader may still attach. */
  isUnused(channel: string): boolean {
    return this.#unused.has(channel);
  }

  /** Whether the channel was created here. */
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

/** Returns the process that a channel belongs to; `undefined` for a durable channel. */
export function ownerOf(channel: string): string | undefined {
  const mark = channel.indexOf("!");
  if (mark < 0) return undefined;
  return channel.slice(channel.lastIndexOf(".", mark) + 1, mark);
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
