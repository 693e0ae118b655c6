import { Readable, Writable } from "node:stream";
import { Buffer } from "node:buffer";

/** The arguments of a `node:http` request handler, as far as Koa needs them. */
export interface NodeExchange {
  readonly request: Readable;
  readonly response: Writable;
  /** Resolves to the handler's response. */
  readonly answer: Promise<Response>;
}

/** Headers that are passed on. None of them tells where a request came from. */
const PASSED_ON = ["accept", "authorization", "content-type", "cookie", "user-agent"];

/**
 * Converts a `Request` to the arguments of a `node:http` handler, without a port or a socket.
 *
 * @param mountPath The prefix of the path, which the handler does not see.
 */
export function toNodeExchange(request: Request, mountPath: string, body: string): NodeExchange {
  const response = new NodeResponse();
  return { request: nodeRequest(request, mountPath, body), response, answer: response.answer };
}

function nodeRequest(request: Request, mountPath: string, body: string): Readable {
  const url = new URL(request.url);
  const headers: Record<string, string> = { host: url.host };
  for (const name of PASSED_ON) {
    const value = request.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  const bytes = Buffer.from(body);
  if (bytes.length > 0) headers["content-length"] = String(bytes.length);
  const socket = { encrypted: url.protocol === "https:", remoteAddress: "127.0.0.1" };
  return Object.assign(Readable.from(bytes.length > 0 ? [bytes] : []), {
    method: request.method,
    originalUrl: url.pathname + url.search,
    url: url.pathname.slice(mountPath.length) + url.search,
    headers,
    httpVersion: "1.1",
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    socket,
    connection: socket,
  });
}

/** A `node:http` response that is written to memory. */
class NodeResponse extends Writable {
  statusCode = 200;
  statusMessage = "";
  headersSent = false;
  readonly answer: Promise<Response>;
  readonly #headers = new Map<string, string[]>();
  readonly #chunks: Uint8Array<ArrayBuffer>[] = [];

  constructor() {
    super();
    this.answer = new Promise((resolve, reject) => {
      this.once("finish", () => resolve(this.#toResponse()));
      this.once("error", reject);
    });
  }

  setHeader(name: string, value: string | number | readonly string[]): this {
    const values = Array.isArray(value) ? value.map(String) : [String(value)];
    this.#headers.set(name.toLowerCase(), values);
    return this;
  }

  getHeader(name: string): string | string[] | undefined {
    const values = this.#headers.get(name.toLowerCase());
    return values?.length === 1 && name.toLowerCase() !== "set-cookie" ? values[0] : values;
  }

  getHeaders(): Record<string, string[]> {
    return Object.fromEntries(this.#headers);
  }

  getHeaderNames(): string[] {
    return [...this.#headers.keys()];
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  flushHeaders(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.headersSent = true;
    this.#chunks.push(new Uint8Array(chunk));
    done();
  }

  #toResponse(): Response {
    const headers = new Headers();
    for (const [name, values] of this.#headers) {
      for (const value of values) headers.append(name, value);
    }
    headers.delete("content-length");
    headers.delete("transfer-encoding");
    const empty = this.statusCode === 204 || this.statusCode === 304;
    const body = empty || this.#chunks.length === 0 ? null : new Blob(this.#chunks);
    return new Response(body, { status: this.statusCode, headers });
  }
}
