import { isValidElement, type VNode } from "preact";
import { HOLE, type Special, UNDEFINED } from "../build/wire.ts";
import { Slot } from "./islands.ts";

/**
 * Serialises the properties of a page's islands as JSON: a list of values that refer to each other by
 * position, so that the identity of objects and signals is preserved in the browser.
 *
 * @throws {TypeError} if a value cannot be sent: functions, symbols, nested JSX
 */
export function serializeProps(islandProps: Record<string, unknown>[]): string {
  return new Writer().write(islandProps);
}

type Reader = [
  test: (value: object) => boolean,
  write: (value: never, writer: Writer) => unknown[],
];

class Writer {
  #values: unknown[] = [];
  #positions = new Map<unknown, number>();

  write(root: unknown): string {
    this.refer(root);
    return JSON.stringify(this.#values);
  }

  /** Returns the position of a value, and adds new values. */
  refer(value: unknown): number {
    if (value === undefined) return UNDEFINED;
    const isNegativeZero = Object.is(value, -0); // a Map treats it as 0
    const known = isNegativeZero ? undefined : this.#positions.get(value);
    if (known !== undefined) return known;
    const position = this.#values.push(null) - 1;
    if (!isNegativeZero) this.#positions.set(value, position);
    this.#values[position] = this.#encode(value);
    return position;
  }

  #encode(value: unknown): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : tag("n", specialName(value));
      case "bigint":
        return tag("b", String(value));
      case "object":
        return value === null ? null : this.#encodeObject(value);
      default:
        throw new TypeError(`A ${typeof value} cannot be passed to an island`);
    }
  }

  #encodeObject(value: object): unknown {
    if (Array.isArray(value)) {
      return tag("a", Array.from(value, (item, i) => i in value ? this.refer(item) : HOLE));
    }
    for (const [test, write] of READERS) {
      if (test(value)) return write(value as never, this);
    }
    if (isValidElement(value)) {
      throw new TypeError("JSX can be passed to an island as a property, not inside another value");
    }
    const entries = Object.entries(value).map(([name, item]) => [name, this.refer(item)]);
    return tag("o", entries);
  }
}

function tag(kind: Special, ...payload: unknown[]): unknown[] {
  return [kind, ...payload];
}

function specialName(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function temporalName(value: object): string | undefined {
  return /^\[object Temporal\.(?!Now)(\w+)\]$/.exec(Object.prototype.toString.call(value))?.[1];
}

interface SignalLike {
  peek(): unknown;
}

function isSignal(value: object): value is SignalLike {
  return "peek" in value && typeof value.peek === "function" && "value" in value;
}

/** Finds a computed signal by its function, whose name depends on the build of the package. */
function isComputed(value: object): boolean {
  return isSignal(value) &&
    ["x", "_fn"].some((name) =>
      typeof (value as unknown as Record<string, unknown>)[name] === "function"
    );
}

const READERS: Reader[] = [
  [
    (v) => (v as VNode).type === Slot && isValidElement(v),
    ({ props }: VNode<{ id: number; name: string }>) => tag("l", props.id, props.name),
  ],
  [isComputed, (v: SignalLike, writer) => tag("c", writer.refer(v.peek()))],
  [isSignal, (v: SignalLike, writer) => tag("g", writer.refer(v.peek()))],
  [(v) => v instanceof Date, (v: Date) => tag("d", String(v.getTime()))],
  [(v) => v instanceof URL, (v: URL) => tag("u", v.href)],
  [(v) => v instanceof RegExp, (v: RegExp) => tag("r", v.source, v.flags)],
  [(v) => v instanceof Uint8Array, (v: Uint8Array) => tag("y", toBase64(v))],
  [
    (v) => v instanceof Set,
    (v: Set<unknown>, writer) => tag("s", [...v].map((item) => writer.refer(item))),
  ],
  [
    (v) => v instanceof Map,
    (v: Map<unknown, unknown>, writer) =>
      tag("m", [...v].map(([key, item]) => [writer.refer(key), writer.refer(item)])),
  ],
  [(v) => temporalName(v) !== undefined, (v: object) => tag("t", temporalName(v), String(v))],
];

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
