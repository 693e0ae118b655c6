import { connect, type Socket } from "node:net";

/** Time limit of one exchange, in milliseconds. */
const LIMIT_MS = 20_000;

/** The outcome of a raw exchange. */
export interface RawAnswer {
  /** Status of the response; 0 if there was none. */
  readonly status: number;
  /** All received data, as Latin-1. */
  readonly text: string;
  /** Whether the server closed the connection, by FIN or by RST. */
  readonly isClosed: boolean;
  /** Bytes that the kernel accepted from the client. */
  readonly sent: number;
}

/** A client on bare TCP, for requests that no HTTP library would send. */
export class RawClient implements Disposable {
  text = "";
  sent = 0;
  isClosed = false;
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port) });
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk) => this.#changed(() => this.text += chunk.toString("latin1")));
    this.#socket.on("close", () => this.#changed(() => this.isClosed = true));
    this.#socket.on("end", () => this.#changed(() => this.isClosed = true));
    this.#socket.on("error", () => {});
  }

  get answer(): RawAnswer {
    const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(this.text)?.[1] ?? 0);
    return { status, text: this.text, isClosed: this.isClosed, sent: this.sent };
  }

  /** Writes, and waits until the kernel has accepted the data; false if the connection is closed. */
  write(data: string | Uint8Array): Promise<boolean> {
    if (this.isClosed || this.#socket.destroyed) return Promise.resolve(false);
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return new Promise((resolve) => {
      const gone = () => resolve(false);
      this.#socket.once("close", gone);
      this.#socket.write(bytes, (error) => {
        this.#socket.off("close", gone);
        if (!error) this.sent += bytes.length;
        resolve(!error);
      });
    });
  }

  /** Whether the response has arrived: its head, and its body if the length is known. */
  get hasAnswer(): boolean {
    const [head = "", body] = this.text.split(/\r\n\r\n(.*)/s);
    return body !== undefined &&
      body.length >= Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  }

  /** Waits for a response, or until the connection is closed. */
  received(): Promise<RawAnswer> {
    return this.#until(() => this.hasAnswer || this.isClosed, "an answer");
  }

  /** Waits until the server closes the connection. */
  closed(): Promise<RawAnswer> {
    return this.#until(() => this.isClosed, "the end of the connection");
  }

  /** Closes the connection abruptly. */
  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #changed(change: () => void): void {
    change();
    for (const check of this.#waiting) check();
  }

  #until(isThere: () => boolean, what: string): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`Expected ${what} within ${LIMIT_MS} ms; received: ${this.text}`));
      }, LIMIT_MS);
      const check = () => {
        if (!isThere()) return;
        clearTimeout(late);
        this.#waiting.delete(check);
        resolve(this.answer);
      };
      this.#waiting.add(check);
      check();
    });
  }
}

/** Sends one request verbatim and returns the response, whose body may be incomplete. */
export async function rawRequest(url: string, request: string | Uint8Array): Promise<RawAnswer> {
  using client = new RawClient(url);
  await client.write(request);
  return await client.received();
}

const CHUNK = new Uint8Array(65_536).fill(97);

/**
 * Sends a head and then up to `bytes` bytes of a chunked body, until the server closes or responds.
 */
export async function floodBody(
  client: RawClient,
  head: string,
  { bytes, untilClosed = false }: { bytes: number; untilClosed?: boolean },
): Promise<RawAnswer> {
  await client.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  const isOver = () => untilClosed ? client.isClosed : client.hasAnswer;
  const sending = (async () => {
    for (let sent = 0; sent < bytes && !isOver(); sent += CHUNK.length) {
      const chunk = CHUNK.subarray(0, bytes - sent);
      if (!await client.write(`${chunk.length.toString(16)}\r\n`)) return;
      if (!await client.write(chunk)) return;
      if (!await client.write("\r\n")) return;
    }
    if (!isOver()) await client.write("0\r\n\r\n");
  })();
  const answer = await (untilClosed ? client.closed() : client.received());
  if (untilClosed) await sending;
  return answer;
}
