/**
 * Headers of a request that can be read as long as its socket is open, where nothing else is said.
 * Until the client is let in all can be read.
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
 * What is kept of a request's headers: the runtime cannot read them any more once the socket is open,
 * and to copy them all costs a quarter of an upgrade.
 *
 * To ask for one that was not kept is a mistake, not a header that the client did not send: it throws.
 */
export class KeptHeaders extends Headers {
  readonly #names: readonly string[];

  /** @param values What each of `names` was; null where it was not sent. */
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
