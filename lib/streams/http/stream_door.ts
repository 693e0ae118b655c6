import { StopConsumer } from "../../core/consumer.ts";
import { FrameError } from "../../protocol/errors.ts";
import type { ClientFrame } from "../../protocol/frames.ts";
import { HttpConsumer } from "../../consumers/http_consumer.ts";
import { type GroupPolicy, Policies } from "../../consumers/policies.ts";
import type { StreamScope } from "../with_streams.ts";
import { StreamReading } from "./stream_reading.ts";
import { commandScope } from "./command_scope.ts";
import { parseCommand, refusalBody } from "./command_request.ts";

/**
 * The parts of a `JsonConsumer` that a {@linkcode StreamDoor} uses.
 *
 * @internal
 */
export interface DoorConsumer {
  /** Returns whether the client has permission. */
  authorize(): boolean | Promise<boolean>;
  /** The group of a stream, and its policy. */
  streamSource(name: string): { readonly group: string; readonly authorize?: GroupPolicy<never> };
  /** @internal Runs the handler of a frame, and returns its reply. */
  runFrame(frame: ClientFrame): Promise<unknown>;
}

/** Largest body of a command, in bytes. */
const MAX_COMMAND_BYTES = 65_536;

/** How long a long-poll waits, in milliseconds. */
const LONG_POLL_MS = 25_000;

/** How long an SSE response lasts, in milliseconds: clients then continue with a new one. */
const SSE_MS = 55_000;

/**
 * Opens one stream of a socket consumer to plain HTTP. See {@linkcode streamDoor}.
 *
 * *Security*: the permissions of the consumer are asked: `authorize()` and the policy of the stream. A
 * response that waits or streams ends with the session, and with the permission.
 */
export class StreamDoor<S extends StreamScope> extends HttpConsumer<S> {
  readonly #consumer: DoorConsumer;
  readonly #stream: string;
  #reading: StreamReading | undefined;

  /** Created by {@linkcode streamDoor}. */
  constructor(scope: S, create: (scope: S) => DoorConsumer, stream: string) {
    super(scope);
    this.#consumer = create(commandScope(scope));
    this.#stream = stream;
  }

  /** Largest request body, in bytes. */
  override get maxBodyBytes(): number {
    return MAX_COMMAND_BYTES;
  }

  /** Asks the consumer whether the client has permission. */
  override authorize(): boolean | Promise<boolean> {
    return this.#consumer.authorize();
  }

  /** Answers the request. */
  override async handle(body: Uint8Array): Promise<void> {
    switch (this.scope.method) {
      case "GET":
      case "HEAD":
        return await this.#read();
      case "POST":
        return await this.#command(body);
      default:
        await this.sendResponse(405, "", { allow: "GET, HEAD, POST" });
    }
  }

  /** Continues to read when a message arrives. */
  override event(): Promise<void> {
    return this.#reading?.advance() ?? Promise.resolve();
  }

  /** Continues to read when messages may have been missed. */
  override gap(): Promise<void> {
    return this.event();
  }

  /** Ends the response when the permission is withdrawn. */
  override onGroupRevoked(): void {
    this.close(4403, "permission withdrawn");
  }

  /** Answers a long-poll without a message. */
  override timedOut(): Promise<void> {
    return this.#reading?.timedOut() ?? Promise.resolve();
  }

  async #read(): Promise<void> {
    const { group, authorize = () => true } = this.#consumer.streamSource(this.#stream);
    try {
      await this.#enter(group, authorize as GroupPolicy<S>);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return void await this.#refuse(403, refusalBody(error, 403));
    }
    const { scope } = this;
    const { streamStore, method, query, headers } = scope;
    this.#reading = new StreamReading({
      store: streamStore,
      group,
      isHead: method === "HEAD",
      query,
      headers,
      respond: (status, text, more) => this.sendResponse(status, text, more),
      refuse: (refusal) => scope.connection.refuse(refusal),
      begin: (more) => this.sendHeaders({ headers: more }),
      write: (text) => this.sendBody(text, { more: true }),
      finish: () => this.sendBody(""),
      waitForMessage: () => this.wait(LONG_POLL_MS),
      endLater: (end) => void this.scope.connection.after(SSE_MS, end),
    });
    await this.#reading.start();
  }

  /**
   * Joins the group of the stream. A request that does not wait for messages only asks the policy, so
   * that it needs no layer.
   *
   * @throws {FrameError} `FORBIDDEN`: the policy denies access.
   */
  #enter(group: string, authorize: GroupPolicy<S>): Promise<void> {
    const { scope } = this;
    if (scope.method === "GET" && scope.query.has("live")) {
      return this.groupAdd(group, { authorize });
    }
    const nothing = () => Promise.resolve();
    const { connection } = scope;
    return new Policies({ connection, add: nothing, discard: nothing, revoked: nothing })
      .add(group, () => authorize(scope, group));
  }

  async #command(body: Uint8Array): Promise<void> {
    try {
      this.#takeMessage();
      const frame = parseCommand(this.scope.headers, body);
      const data = await this.#consumer.runFrame(frame);
      const headers = { "content-type": "application/json", "cache-control": "no-store" };
      await this.sendResponse(200, JSON.stringify(data ?? null), headers);
    } catch (error) {
      if (error instanceof StopConsumer || !(error instanceof FrameError)) throw error;
      const refusal = refusalBody(error);
      await this.#refuse(refusal.status, refusal);
    }
  }

  /**
   * Takes one message of the user, on this path, from the rate limit that a socket has.
   *
   * @throws {FrameError} `RATE_LIMITED`
   */
  #takeMessage(): void {
    const { connection, path, address } = this.scope;
    const { user, session } = this.scope as
      & S
      & Partial<Record<"user" | "session", { id: unknown }>>;
    const caller = JSON.stringify([user?.id ?? session?.id ?? address, path]);
    if (connection.takeMessage(caller)) return;
    throw new FrameError("RATE_LIMITED", "Too many messages: wait a moment");
  }

  async #refuse(status: number, problem: object): Promise<boolean> {
    const headers = {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...status === 429 || status === 503 ? { "retry-after": "1" } : {},
    };
    return await this.sendResponse(status, JSON.stringify(problem), headers);
  }
}

/**
 * Returns the application of a route that opens one stream of a consumer to plain HTTP.
 *
 * `GET` and `HEAD` are the read side of the Durable Streams protocol 1.0, in its JSON mode: catch-up,
 * `live=long-poll` and `live=sse`. Each message is an object with `type`, `data` and `offset`. `POST`
 * with `{ "type", "data" }` runs a command of the consumer; the header `Idempotency-Key` is its `key`.
 *
 * The same checks apply as to a socket: put the route into the same stack. Keys count for the path that
 * begins with `/ws/` instead of `/streams/`, so a command may be repeated on a socket.
 *
 * @param create Creates the consumer of the socket for a scope.
 * @param stream The name of one of its streams.
 *
 * @example
 * ```ts
 * import { defineMessages, JsonConsumer, type LayerScope, unchecked } from "@sluice/sluice";
 * import { MemoryChannelLayer } from "@sluice/sluice/layers";
 * import { MemoryStreamStore, streamDoor, type StreamScope } from "@sluice/sluice/streams";
 * import { communicateHttp } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * const messages = defineMessages({ client: {}, server: { said: unchecked<string>() } });
 * class News extends JsonConsumer<typeof messages, LayerScope & StreamScope> {
 *   readonly messages = messages;
 *   readonly handlers = {};
 *   override get streams() {
 *     return { news: "news" };
 *   }
 * }
 *
 * const streamStore = new MemoryStreamStore();
 * await streamStore.append("news", { type: "said", data: "Hello" });
 * const door = streamDoor((scope: LayerScope & StreamScope) => new News(scope), "news");
 * const layers = { default: new MemoryChannelLayer() };
 * await using client = communicateHttp(door, { path: "/streams/news", scope: { streamStore, layers } });
 * const answer = await client.response();
 * assert.equal(answer.text, '[{"type":"said","data":"Hello","offset":1}]');
 * ```
 */
export function streamDoor<S extends StreamScope>(
  create: (scope: S) => DoorConsumer,
  stream: string,
): (scope: S) => HttpConsumer<S> {
  return (scope) => new StreamDoor(scope, create, stream);
}
