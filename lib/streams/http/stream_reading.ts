import { Refusal } from "../../protocol/refusal.ts";
import { isSharedHistory } from "../history.ts";
import { StreamError } from "../stream_error.ts";
import type { StreamMessage, StreamPage, StreamStore } from "../stream_store.ts";
import { nextCursor } from "./cursor.ts";
import { isKnownETag } from "./etag.ts";
import { decodeToken, encodeToken } from "./offset_token.ts";

/** What a {@linkcode StreamReading} reads, and how it answers. */
export interface StreamReadingContext {
  readonly store: StreamStore;
  readonly group: string;
  readonly isHead: boolean;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  respond(status: number, text: string, headers: Record<string, string>): Promise<boolean>;
  refuse(refusal: Refusal): void;
  begin(headers: Record<string, string>): void;
  write(text: string): Promise<boolean>;
  finish(): Promise<boolean>;
  /** Waits for a message: `advance()` or `timedOut()` follows. */
  waitForMessage(): void;
  endLater(end: () => Promise<void>): void;
}

type Live = "long-poll" | "sse" | undefined;

/** Most messages of a response, or of an event of an SSE response. */
const PAGE = 500;

const PRIVATE = { "cache-control": "private, no-cache", "x-content-type-options": "nosniff" };

/** Reads a stream for one request, by the Durable Streams protocol in JSON mode. */
export class StreamReading {
  readonly #context: StreamReadingContext;
  /** The offset after which the request reads on. */
  #after = 0;
  #epoch: string | undefined;
  #live: Live;
  /** Whether a response of events has begun. */
  #hasBegun = false;
  #isOver = false;
  #isBusy = false;
  #hasNews = false;

  constructor(context: StreamReadingContext) {
    this.#context = context;
  }

  /** Begins the answer. */
  async start(): Promise<void> {
    try {
      if (this.#context.isHead) return await this.#head();
      await this.#begin();
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** Reads on after a message has arrived. */
  async advance(): Promise<void> {
    this.#hasNews = true;
    if (this.#isBusy || this.#isOver || this.#live === undefined) return;
    this.#isBusy = true;
    try {
      while (this.#hasNews && !this.#isOver) {
        this.#hasNews = false;
        if (this.#live === "sse") await this.#writeEvents(false);
        else await this.#answer(await this.#page());
      }
    } catch (error) {
      await this.#fail(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Answers a long-poll for which no message has arrived. */
  async timedOut(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const headers = this.#headers({ epoch: this.#epoch!, offset: this.#after }, true);
    await this.#context.respond(204, "", headers);
  }

  async #head(): Promise<void> {
    const { store, group } = this.#context;
    const state = await store.state(group);
    await this.#context.respond(200, "", {
      "content-type": "application/json",
      "stream-next-offset": encodeToken(state),
      "cache-control": "no-store",
    });
  }

  async #begin(): Promise<void> {
    const { query } = this.#context;
    const live = query.get("live");
    if (live !== null && live !== "long-poll" && live !== "sse") {
      throw new Refusal("INVALID_QUERY", { status: 400, detail: "`live` is long-poll or sse" });
    }
    if (live !== null && !query.has("offset")) throw invalidOffset("`live` needs an `offset`");
    if (query.getAll("offset").length > 1) throw invalidOffset("There is more than one `offset`");
    this.#live = live ?? undefined;
    const offset = query.get("offset") ?? "-1";
    await this.#seek(offset);
    if (this.#live === "sse") return await this.#beginEvents();
    if (offset === "now" && this.#live === undefined) return await this.#answerNow();
    const page = await this.#page();
    if (this.#live === undefined || page.messages.length > 0) return await this.#answer(page);
    this.#context.waitForMessage();
    if (this.#hasNews) await this.advance();
  }

  /** Finds the position of an offset token. */
  async #seek(token: string): Promise<void> {
    if (token === "-1") return;
    const { store, group } = this.#context;
    const position = token === "now" ? await store.state(group) : decodeToken(token);
    if (position === undefined) throw invalidOffset("The offset is malformed");
    this.#after = position.offset;
    this.#epoch = position.epoch;
  }

  async #page(): Promise<StreamPage> {
    const { store, group } = this.#context;
    const page = await store.read(group, { after: this.#after, limit: PAGE });
    const epoch = this.#epoch ?? page.epoch;
    const isOther = !isSharedHistory(page, { epoch, offset: this.#after });
    const isFromStart = this.#epoch === undefined;
    if (isOther || this.#after > page.offset || (!isFromStart && this.#after < page.first - 1)) {
      throw new Refusal("OFFSET_GONE", {
        status: 410,
        detail: "Messages after this offset are no longer kept: begin with offset=-1",
      });
    }
    this.#epoch = page.epoch;
    return page;
  }

  async #answerNow(): Promise<void> {
    const headers = this.#headers({ epoch: this.#epoch!, offset: this.#after }, true);
    const fresh = { "content-type": "application/json", "cache-control": "no-store" };
    this.#isOver = true;
    await this.#context.respond(200, "[]", { ...headers, ...fresh });
  }

  async #answer(page: StreamPage): Promise<void> {
    if (this.#live === "long-poll" && page.messages.length === 0) return; // An earlier message.
    this.#isOver = true;
    const { epoch, messages, more } = page;
    const offset = messages.at(-1)?.offset ?? Math.max(this.#after, page.first - 1);
    // Messages expire: the oldest one is part of what decides the body.
    const etag = `"${epoch}:${this.#after}:${messages[0]?.offset ?? ""}:${offset}"`;
    const headers = { ...this.#headers({ epoch, offset }, !more), etag };
    if (isKnownETag(this.#context.headers, etag)) {
      return void await this.#context.respond(304, "", headers);
    }
    const type = { "content-type": "application/json" };
    await this.#context.respond(200, encode(messages), { ...headers, ...type });
  }

  async #beginEvents(): Promise<void> {
    await this.#page(); // Refuses an offset that is no longer kept before the response starts.
    this.#hasBegun = true;
    this.#context.begin({ ...PRIVATE, "content-type": "text/event-stream" });
    this.#context.endLater(async () => {
      if (this.#isOver) return;
      this.#isOver = true;
      await this.#context.finish();
    });
    this.#isBusy = true;
    await this.#writeEvents(true);
    this.#isBusy = false;
    if (this.#hasNews) await this.advance();
  }

  /** Writes the messages that follow; the first event also tells the position without any. */
  async #writeEvents(isFirst: boolean): Promise<void> {
    while (!this.#isOver) {
      const { epoch, messages, more, first } = await this.#page();
      if (messages.length === 0 && !isFirst) return;
      this.#after = messages.at(-1)?.offset ?? Math.max(this.#after, first - 1);
      const control = {
        streamNextOffset: encodeToken({ epoch, offset: this.#after }),
        streamCursor: this.#cursor(),
        ...more ? {} : { upToDate: true },
      };
      const data = messages.length === 0 ? "" : `event: data\ndata: ${encode(messages)}\n\n`;
      await this.#context.write(`${data}event: control\ndata: ${JSON.stringify(control)}\n\n`);
      if (!more) return;
      isFirst = false;
    }
  }

  async #fail(error: unknown): Promise<void> {
    const isExpected = error instanceof Refusal || error instanceof StreamError;
    if (this.#isOver || !isExpected) throw error;
    this.#isOver = true;
    // The next request of the client is refused, with the reason.
    if (this.#hasBegun) return void await this.#context.finish();
    const isRefusal = error instanceof Refusal;
    this.#context.refuse(isRefusal ? error : new Refusal("UNAVAILABLE", { cause: error }));
  }

  #headers(position: { epoch: string; offset: number }, isUpToDate: boolean) {
    return {
      ...PRIVATE,
      "stream-next-offset": encodeToken(position),
      "stream-cursor": this.#cursor(),
      ...isUpToDate ? { "stream-up-to-date": "true" } : {},
    };
  }

  #cursor(): string {
    return nextCursor(this.#context.query.get("cursor"), Date.now());
  }
}

function encode(messages: readonly StreamMessage[]): string {
  return JSON.stringify(messages.map(({ type, data, offset }) => ({ type, data, offset })));
}

function invalidOffset(detail: string): Refusal {
  return new Refusal("INVALID_OFFSET", { status: 400, detail });
}
