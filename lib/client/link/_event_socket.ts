import type { ClientWebSocket } from "../environment.ts";
import type { LinkOptions } from "./link_options.ts";

/** Close code of a lost connection (RFC 6455 §7.4.1). */
const ABNORMAL = 1006;

/** How often a sign of life is posted, in milliseconds: the server ends a stream after 75 s without. */
const ALIVE_MS = 25_000;

/** Frames up to this many characters are posted together. */
const MAX_BATCH_LENGTH = 16_384;

type Listener = Parameters<ClientWebSocket["addEventListener"]>[1];

/**
 * A socket over plain HTTP: receives server-sent events and posts messages, for proxies that break
 * WebSockets. Loaded on demand.
 *
 * Each message is posted at most once, and in order: one request is pending at a time. A request with
 * an unknown outcome ends the connection, as a lost WebSocket would.
 */
export class EventSocket implements ClientWebSocket {
  readyState = 0;
  readonly #options: LinkOptions;
  readonly #opened: () => void;
  readonly #listeners = new Map<string, Listener>();
  readonly #ending = new AbortController();
  #queue: string[] = [];
  #id = "";
  #isPosting = false;
  #stopTimer = () => {};

  /** @param opened Called when the stream is open. */
  constructor(options: LinkOptions, opened: () => void) {
    this.#options = options;
    this.#opened = opened;
    this.#read().then(() => this.#end(ABNORMAL), () => this.#end(ABNORMAL));
  }

  /** Takes one listener of each type. */
  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }

  send(text: string): void {
    this.#queue.push(text);
    if (!this.#isPosting) this.#postQueue().catch(() => this.#end(ABNORMAL));
  }

  close(): void {
    this.readyState = 3;
    this.#stopTimer();
    this.#ending.abort();
  }

  /** Reads events until the response ends. */
  async #read(): Promise<void> {
    const { body, ok, headers } = await this.#post("", "text/event-stream");
    const isEvents = headers.get("content-type")?.startsWith("text/event-stream");
    if (!ok || !isEvents || !body) return void body?.cancel().catch(() => {});
    const reader = body.getReader();
    const decoder = new TextDecoder();
    for (let text = "";;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = events.pop()!;
      for (const event of events) this.#take(event);
    }
  }

  #take(event: string): void {
    // Not with regular expressions: to them, U+2028 and U+2029 end a line, too.
    const fields = (name: string) =>
      event.split("\n").filter((line) => line.startsWith(name)).map((line) =>
        line.slice(name.length)
      )
        .join("\n");
    const type = fields("event: ");
    const data = fields("data: ");
    if (type === "open") {
      this.#id = data;
      this.readyState = 1;
      this.#emit("open", {});
      this.#showLife();
      this.#opened();
    } else if (type === "close") {
      const [code, reason] = [parseInt(data), data.replace(/^\d+ /, "")];
      this.#end(code, reason);
    } else if (data) this.#emit("message", { data });
  }

  /** Keeps the server informed that the client is there, which the response does not show. */
  #showLife(): void {
    this.#stopTimer = this.#options.environment.after(ALIVE_MS, () => {
      this.send("");
      this.#showLife();
    });
  }

  async #postQueue(): Promise<void> {
    this.#isPosting = true;
    while (this.#queue.length) {
      const body = `${this.#id}\n${this.#takeBatch()}`;
      let response = await this.#post(body);
      while (response.status === 429) {
        // Refused before it was read: it may be posted again.
        await this.#pause(response);
        response = await this.#post(body);
      }
      if (!response.ok) throw response;
    }
    this.#isPosting = false;
  }

  #takeBatch(): string {
    let count = 1;
    let { length } = this.#queue[0]!;
    while (count < this.#queue.length && length < MAX_BATCH_LENGTH) {
      length += this.#queue[count++]!.length;
    }
    return this.#queue.splice(0, count).filter(Boolean).join("\n");
  }

  #pause({ headers, body }: Response): Promise<void> {
    body?.cancel().catch(() => {});
    const seconds = Number(headers.get("retry-after")) || 1;
    return new Promise((resolve) => this.#options.environment.after(seconds * 1_000, resolve));
  }

  async #post(body: string, accept = "application/problem+json"): Promise<Response> {
    const { url, environment, ticket } = this.#options;
    const headers = new Headers({ accept, "content-type": "text/plain" });
    if (ticket) headers.set("authorization", `Ticket ${await ticket()}`);
    return await environment.fetch(url.replace(/^ws/, "http"), {
      method: "POST",
      body,
      headers,
      signal: this.#ending.signal,
      credentials: "include",
      cache: "no-store",
      redirect: "manual",
    });
  }

  #end(code: number, reason = ""): void {
    if (this.readyState === 3) return;
    this.close();
    this.#emit("close", { code, reason });
  }

  #emit(type: string, event: Omit<Parameters<Listener>[0], "type">): void {
    this.#listeners.get(type)?.({ type, ...event });
  }
}
