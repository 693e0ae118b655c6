/**
 * Request headers that stay readable while the socket is open, by default. All headers are readable
 * until the client is accepted.
 */
export const KEPT_HEADERS: readonly string[] = [
  "accept-language",
  "authorization",
  "cookie",
  "host",
  "origin",
  "sec-websocket-protocol",
  "user-agent",
];

/**
 * The retained headers of a request. The runtime cannot read headers once the socket is open, and
 * copying all of them adds a quarter to the cost of an upgrade.
 *
 * Reading a header that was not retained throws, so that it is not mistaken for one that the client
 * did not send.
 */
export class KeptHeaders extends Headers {
  readonly #names: readonly string[];

  /** @param values The values of `names`; null for a header that was not sent. */
  constructor(names: readonly string[], values: readonly (string | null)[]) {
    super();
    this.#names = names;
    names.forEach((name, index) => {
      const value = values[index];
      if (value != null) this.append(name, value);
    });
  }

  override get(name: string): string | null {
    this.#assertKept(name);
    return super.get(name);
  }

  override has(name: string): boolean {
    this.#assertKept(name);
    return super.has(name);
  }

  #assertKept(name: string): void {
    if (this.#names.includes(name.toLowerCase())) return;
    throw new TypeError(
      `Cannot read the header "${name}" of an open socket: read it before accept(), or name it in keepHeaders`,
    );
  }
}
