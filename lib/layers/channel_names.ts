import { assertChannelName } from "./names.ts";

/** Makes the names of one process's channels: `<prefix>.<process>!<serial>`. */
export class ChannelNames {
  /** Names this process, or this layer of it; 72 random bits. */
  readonly process: string = randomName();
  #serial = 0;

  /** Returns a name that is new in the whole system. */
  next(prefix: string): string {
    const channel = `${prefix}.${this.process}!${(++this.#serial).toString(36)}`;
    assertChannelName(channel);
    return channel;
  }

  /** Whether the channel was made here. */
  owns(channel: string): boolean {
    return ownerOf(channel) === this.process;
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
