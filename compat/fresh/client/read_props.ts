import { computed, signal } from "@preact/signals";
import { HOLE, type Special, UNDEFINED } from "../build/wire.ts";

/** A reference to JSX that the server rendered into the page. */
export class SlotRef {
  constructor(readonly id: number, readonly name: string) {}
}

type Encoded = string | number | boolean | null | [Special, ...unknown[]];

/** Parses the output of `serializeProps()`. */
export function readProps(json: string): Record<string, unknown>[] {
  const encoded = JSON.parse(json) as Encoded[];
  const values: unknown[] = [];

  function at(position: number): unknown {
    if (position === UNDEFINED) return undefined;
    if (!(position in values)) decode(position, encoded[position]);
    return values[position];
  }

  /** Stores a container before filling it, because it may contain itself. */
  function decode(position: number, value: Encoded): void {
    const keep = <T>(made: T): T => values[position] = made as T & unknown;
    if (!Array.isArray(value)) {
      keep(value);
      return;
    }
    const [kind, first, second] = value as [Special, never, never];
    switch (kind) {
      case "a": {
        const list = keep(new Array<unknown>((first as number[]).length));
        (first as number[]).forEach((item, i) => item !== HOLE && (list[i] = at(item)));
        break;
      }
      case "o": {
        const object = keep({});
        for (const [name, item] of first as [string, number][]) define(object, name, at(item));
        break;
      }
      case "s": {
        const set = keep(new Set());
        for (const item of first as number[]) set.add(at(item));
        break;
      }
      case "m": {
        const map = keep(new Map());
        for (const [key, item] of first as [number, number][]) map.set(at(key), at(item));
        break;
      }
      case "g": {
        const made = keep(signal<unknown>());
        made.value = at(first);
        break;
      }
      case "c":
        keep(computed(() => at(first)));
        break;
      default:
        keep(decodeScalar(kind, first, second));
    }
  }
  return at(0) as Record<string, unknown>[];
}

/** Security: a name such as `__proto__` becomes a property like any other. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function decodeScalar(kind: Special, first: string, second: string): unknown {
  switch (kind) {
    case "n":
      return Number(first);
    case "b":
      return BigInt(first);
    case "d":
      return new Date(Number(first));
    case "u":
      return new URL(first);
    case "r":
      return new RegExp(first, second);
    case "y":
      return Uint8Array.from(atob(first), (char) => char.charCodeAt(0));
    case "t":
      return temporal()[first].from(second);
    case "l":
      return new SlotRef(Number(first), second);
  }
}

function temporal(): Record<string, { from(text: string): unknown }> {
  return (globalThis as unknown as { Temporal: ReturnType<typeof temporal> }).Temporal;
}
