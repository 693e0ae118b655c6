// @ts-types="@types/ws"
import { type ClientOptions, WebSocket } from "ws";

/** A message as the `ws` package reports it. */
export interface Received {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

/** The response to a refused upgrade. */
export interface Refused {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly code: string | undefined;
}

/** A third-party WebSocket client, which keeps received messages until they are read. */
export class WsClient {
  readonly socket: WebSocket;
  readonly #received: Received[] = [];
  readonly #closed = Promise.withResolvers<{ code: number; reason: string }>();
  /** Unread frames of the last message. */
  #lines: string[] = [];
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => {
      const bytes = data as Uint8Array;
      this.#received.push({ text: new TextDecoder().decode(bytes), bytes, isBinary });
      this.#wake();
    });
    socket.on("close", (code, reason) => {
      this.#closed.resolve({ code, reason: reason.toString() });
      this.#wake();
    });
    socket.on("error", () => {});
  }

  /** Connects; rejects with a {@linkcode Refused} if the upgrade is refused. */
  static connect(
    url: string,
    options: ClientOptions & { protocols?: string[] } = {},
  ): Promise<WsClient> {
    const { protocols = [], ...rest } = options;
    const socket = new WebSocket(url, protocols, rest);
    const client = new WsClient(socket);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(client));
      socket.once("unexpected-response", (_request, response) => {
        const chunks: Uint8Array[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => {
          const text = chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
          const status = response.statusCode ?? 0;
          reject({ status, headers: response.headers, code: codeOf(text) } satisfies Refused);
        });
      });
      socket.once("error", reject);
    });
  }

  /** Received messages that were not read yet. */
  get waiting(): number {
    return this.#received.length;
  }

  get closed(): Promise<{ code: number; reason: string }> {
    return this.#closed.promise;
  }

  /** Waits for the next message; rejects if the socket closes first. */
  async next(): Promise<Received> {
    while (this.#received.length === 0) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error("The socket was closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#received.shift()!;
  }

  /** Waits for the next message of one type and returns its frame; skips others. */
  async frame(type: string): Promise<Record<string, unknown>> {
    while (true) {
      if (this.#lines.length === 0) this.#lines = (await this.next()).text.split("\n");
      const frame = JSON.parse(this.#lines.shift()!);
      if (frame.type === type) return frame;
    }
  }

  send(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  sendJson(frame: unknown): void {
    this.send(JSON.stringify(frame));
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

function codeOf(text: string): string | undefined {
  try {
    return JSON.parse(text).code;
  } catch {
    return undefined;
  }
}
