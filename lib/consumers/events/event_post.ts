import { Refusal } from "../../protocol/mod.ts";
import type { Scope } from "../../core/scope.ts";
import { LayerError } from "../../layers/mod.ts";
import { HttpConsumer } from "../http_consumer.ts";
import {
  type LayeredConsumer,
  layerOf,
  parseEventStreamId,
  POSTED,
  type PostedData,
  senderOf,
} from "./event_channel.ts";

/** The parts of a consumer that an {@linkcode EventPost} uses. */
export interface PostedConsumer<S extends Scope> extends LayeredConsumer {
  readonly scope: S;
  authorize(): boolean | Promise<boolean>;
}

/** Largest body, in bytes. The connection applies the limit of a message to what it holds. */
const MAX_BODY_BYTES = 524_288;

/**
 * Takes what a client posts to its event stream: the id of the stream on the first line, and frames on
 * the others. Hands it over to the process that holds the stream.
 *
 * *Security*: it passes the same checks as a socket, so it needs a live session.
 */
export class EventPost<S extends Scope> extends HttpConsumer<S> {
  readonly #consumer: PostedConsumer<S>;

  constructor(consumer: PostedConsumer<S>) {
    super(consumer.scope);
    this.#consumer = consumer;
  }

  override get maxBodyBytes(): number {
    return MAX_BODY_BYTES;
  }

  override authorize(): boolean | Promise<boolean> {
    return this.#consumer.authorize();
  }

  /** @throws {Refusal} The body does not begin with the id of an event stream, or has no way to it. */
  override async handle(body: Uint8Array): Promise<void> {
    const [id = "", ...lines] = new TextDecoder().decode(body).split("\n");
    const target = parseEventStreamId(id);
    const layer = layerOf(this.#consumer);
    if (target === undefined || layer === undefined) throw Refusal.of("UPGRADE_REQUIRED");
    const { channel, secret } = target;
    const data: PostedData = { secret, sender: senderOf(this.scope), text: lines.join("\n") };
    try {
      await layer.send(channel, { type: POSTED, data });
    } catch (error) {
      throw toRefusal(error);
    }
    await this.sendResponse(204, "", { "cache-control": "no-store" });
  }
}

function toRefusal(error: unknown): unknown {
  if (!(error instanceof LayerError)) return error;
  const isTooLarge = error.code === "MESSAGE_TOO_LARGE";
  return new Refusal(isTooLarge ? "BODY_TOO_LARGE" : "UNAVAILABLE", { cause: error });
}
