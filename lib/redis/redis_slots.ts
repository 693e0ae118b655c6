import { Buffer } from "node:buffer";
import { formatAddress, type RedisAddress } from "./redis_address.ts";
import type { RedisReply } from "./redis_connection.ts";

const SLOT_COUNT = 16_384;

/** The known owners of the slots of a cluster. */
export class RedisSlots {
  readonly #owners: (RedisAddress | undefined)[] = Array(SLOT_COUNT).fill(undefined);

  /**
   * Parses the reply to `CLUSTER SLOTS`. A node without a host is on the host that replied.
   *
   * @throws {TypeError} The reply is malformed.
   */
  static parse(reply: RedisReply, asked: RedisAddress): RedisSlots {
    const slots = new RedisSlots();
    for (const range of list(reply)) {
      const [from, to, primary] = list(range);
      const [host, port] = list(primary);
      const address = { host: knownHost(host) ?? asked.host, port: Number(port) };
      slots.#owners.fill(address, Number(from), Number(to) + 1);
    }
    return slots;
  }

  /** The node that has a slot; `undefined` if no node has it. */
  ownerOf(slot: number): RedisAddress | undefined {
    return this.#owners[slot];
  }

  /** Records a slot's owner. Returns whether it has changed. */
  move(slot: number, to: RedisAddress): boolean {
    const isNew = !isSame(this.#owners[slot], to);
    this.#owners[slot] = to;
    return isNew;
  }

  /** Whether all slots have the same owners. */
  equals(other: RedisSlots | undefined): boolean {
    return other !== undefined &&
      this.#owners.every((owner, slot) => isSame(owner, other.#owners[slot]));
  }

  /** Every node that has a slot, by its address. */
  get owners(): ReadonlyMap<string, RedisAddress> {
    const distinct = new Set(this.#owners);
    distinct.delete(undefined);
    return new Map([...distinct].map((address) => [formatAddress(address!), address!]));
  }
}

/** Returns a name's slot: the CRC-16/XMODEM of its hash tag (the text in `{…}`), or of all of it. */
export function slotOf(name: string): number {
  const begin = name.indexOf("{") + 1;
  const end = begin > 0 ? name.indexOf("}", begin) : -1;
  let sum = 0;
  for (const byte of Buffer.from(end > begin ? name.slice(begin, end) : name)) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 0x8000 ? sum << 1 ^ 0x1021 : sum << 1) & 0xffff;
  }
  return sum % SLOT_COUNT;
}

function isSame(one: RedisAddress | undefined, other: RedisAddress | undefined): boolean {
  return one?.host === other?.host && one?.port === other?.port;
}

function list(reply: RedisReply | undefined): readonly RedisReply[] {
  if (Array.isArray(reply)) return reply;
  throw new TypeError("The reply to CLUSTER SLOTS is malformed");
}

function knownHost(host: RedisReply | undefined): string | undefined {
  return typeof host === "string" && host !== "" && host !== "?" ? host : undefined;
}
