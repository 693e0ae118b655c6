import { Buffer } from "node:buffer";

/** A reply from Redis. */
export type RedisReply = string | number | boolean | null | RedisReplyError | readonly RedisReply[];

/** An error reply. The first word of the message is a code, such as `MOVED`. */
export class RedisReplyError extends Error {
  override readonly name = "RedisReplyError";

  /** The first word of the message. */
  get code(): string {
    return this.message.split(" ", 1)[0]!;
  }
}

const [CR, MINUS, PUSH] = [13, 45, 62];

/**
 * Parses a stream of RESP3 into replies. A reply that arrives in pieces is scanned once, and parsed
 * when it is complete.
 *
 * @see https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md
 */
export class RedisReader {
  #pieces: Buffer[] = [];
  #size = 0;
  /** How many bytes are needed before the next scan can make progress. */
  #needed = 1;
  #buffer: Buffer = Buffer.alloc(0);
  /** The position of the scan. */
  #seen = 0;
  /** How many values of the reply are still missing. */
  #left = 1;
  /** The position of the parser. */
  #at = 0;

  /** Takes a piece, and hands on each complete reply; `isPush` marks one that no command requested. */
  take(piece: Buffer, hand: (reply: RedisReply, isPush: boolean) => void): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size < this.#needed) return;
    this.#buffer = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    this.#at = 0;
    while (this.#isWhole()) {
      this.#left = 1;
      const isPush = this.#buffer[this.#at] === PUSH;
      hand(this.#read(), isPush);
    }
    const rest = this.#buffer.subarray(this.#at);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
    this.#seen -= this.#at;
    this.#needed -= this.#at;
  }

  #isWhole(): boolean {
    const buffer = this.#buffer;
    while (this.#left > 0) {
      const end = buffer.indexOf(CR, this.#seen);
      if (end < 0 || end + 1 >= buffer.length) return this.#waitFor(buffer.length + 1);
      const count = Math.max(0, this.#number(this.#seen + 1, end));
      switch (String.fromCharCode(buffer[this.#seen]!)) {
        case "$":
        case "=":
        case "!": {
          const isNothing = buffer[this.#seen + 1] === MINUS;
          const next = end + 2 + (isNothing ? 0 : count + 2);
          if (next > buffer.length) return this.#waitFor(next);
          this.#seen = next;
          this.#left--;
          continue;
        }
        case "*":
        case "~":
        case ">":
          this.#left += count - 1;
          break;
        case "%":
          this.#left += 2 * count - 1;
          break;
        // Attributes precede the value that they describe.
        case "|":
          this.#left += 2 * count;
          break;
        default:
          this.#left--;
      }
      this.#seen = end + 2;
    }
    return true;
  }

  #waitFor(size: number): false {
    this.#needed = size;
    return false;
  }

  #read(): RedisReply {
    const type = String.fromCharCode(this.#buffer[this.#at]!);
    const end = this.#buffer.indexOf(CR, this.#at);
    const begin = this.#at + 1;
    this.#at = end + 2;
    switch (type) {
      case ":":
        return this.#number(begin, end);
      case "$":
        return this.#readText(begin, end);
      case "=":
        return this.#readText(begin, end)?.slice("txt:".length) ?? null;
      case "!":
        return new RedisReplyError(this.#readText(begin, end) ?? "");
      case "*":
      case "~":
      case ">":
        return this.#buffer[begin] === MINUS ? null : this.#readList(this.#number(begin, end));
      case "%":
        return this.#readList(2 * this.#number(begin, end));
      case "|":
        this.#readList(2 * this.#number(begin, end));
        return this.#read();
      default:
        return readLine(type, this.#buffer.toString("latin1", begin, end));
    }
  }

  #readText(begin: number, end: number): string | null {
    if (this.#buffer[begin] === MINUS) return null;
    const size = this.#number(begin, end);
    this.#at = end + 2 + size + 2;
    return this.#buffer.toString("utf8", end + 2, end + 2 + size);
  }

  #readList(count: number): RedisReply[] {
    const list: RedisReply[] = [];
    while (list.length < count) list.push(this.#read());
    return list;
  }

  #number(begin: number, end: number): number {
    const isNegative = this.#buffer[begin] === MINUS;
    let number = 0;
    for (let at = isNegative ? begin + 1 : begin; at < end; at++) {
      number = number * 10 + this.#buffer[at]! - 48;
    }
    return isNegative ? -number : number;
  }
}

function readLine(type: string, line: string): RedisReply {
  switch (type) {
    case "+":
    case "(":
      return line;
    case "-":
      return new RedisReplyError(line);
    case "#":
      return line === "t";
    case ",":
      return Number(line);
    case "_":
      return null;
    default:
      throw new SyntaxError("Redis sent data that is not RESP3");
  }
}
