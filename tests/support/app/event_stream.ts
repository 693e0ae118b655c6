import type { HttpBrowser } from "./http_browser.ts";

/** One event of an event stream. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

/** A socket over plain HTTP: an event stream, and what its client posts. */
export class EventStream {
  readonly #browser: HttpBrowser;
  readonly #path: string;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #ready: StreamEvent[] = [];
  /** Frames that have not been returned. */
  readonly #frames: Record<string, unknown>[] = [];
  #text = "";
  /** The id with which the client posts. */
  id = "";

  private constructor(browser: HttpBrowser, path: string, body: ReadableStream<Uint8Array>) {
    this.#browser = browser;
    this.#path = path;
    this.#reader = body.pipeThrough(
      new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
    )
      .getReader();
  }

  /** Sends the request for an event stream. */
  static request(browser: HttpBrowser, path: string, headers: HeadersInit = {}): Promise<Response> {
    return browser.request(path, {
      method: "POST",
      headers: { origin: browser.origin, accept: "text/event-stream", ...headers },
    });
  }

  /** Opens an event stream. */
  static async open(browser: HttpBrowser, path: string): Promise<EventStream> {
    const response = await EventStream.request(browser, path);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    const stream = new EventStream(browser, path, response.body!);
    stream.id = (await stream.next())!.data;
    return stream;
  }

  /** Posts frames, as `browser` or another one. */
  post(
    frames: readonly unknown[],
    { browser = this.#browser, id = this.id, path = this.#path } = {},
  ): Promise<Response> {
    const lines = frames.map((frame) => JSON.stringify(frame));
    return browser.request(path, {
      method: "POST",
      headers: { origin: browser.origin, "content-type": "text/plain" },
      body: [id, ...lines].join("\n"),
    });
  }

  /** Returns the next event; undefined after the last one. */
  async next(): Promise<StreamEvent | undefined> {
    while (this.#ready.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      const events = (this.#text + value).split("\n\n");
      this.#text = events.pop()!;
      this.#ready.push(...events.filter((event) => !event.startsWith(":")).map(parse));
    }
    return this.#ready.shift();
  }

  /** Returns the next frame of a type. Others stay, because replies and group messages have no order. */
  async frame(type: string): Promise<Record<string, unknown>> {
    for (;;) {
      const index = this.#frames.findIndex((frame) => frame.type === type);
      if (index >= 0) return this.#frames.splice(index, 1)[0]!;
      const event = await this.next();
      if (event === undefined) throw new Error(`The stream ended without "${type}"`);
      if (event.type !== "") continue;
      this.#frames.push(...event.data.split("\n").map((line) => JSON.parse(line)));
    }
  }

  /** Disconnects. */
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

function parse(event: string): StreamEvent {
  const fields = (name: string) =>
    event.split("\n").filter((line) => line.startsWith(name)).map((line) =>
      line.slice(name.length)
    );
  return { type: fields("event: ").join(), data: fields("data: ").join("\n") };
}
