/**
 * Plain HTTP over the same groups as sockets: `deno run -A examples/http_streaming.ts`.
 *
 * `GET /events` streams server-sent events until the client disconnects, `GET /next` waits for one
 * event (long polling), and `POST /say` sends to both.
 *
 * ```sh ignore
 * curl -N http://127.0.0.1:8000/events
 * curl -d hello http://127.0.0.1:8000/say
 * ```
 *
 * @module
 */
import {
  allowAnonymous,
  anyOrigin,
  HttpConsumer,
  layer,
  type LayerMessage,
  type LayerScope,
  MemoryChannelLayer,
  route,
  stack,
  toHandler,
} from "@sluice/sluice";
import { serve } from "@sluice/sluice/deno";

/** Streams messages until the client disconnects. */
class EventsConsumer extends HttpConsumer<LayerScope> {
  override get groups(): readonly string[] {
    return ["news"];
  }

  override async handle(): Promise<void> {
    this.sendHeaders({ headers: { "content-type": "text/event-stream" } });
    await this.sendBody(": welcome\n\n", { more: true });
  }

  override async event({ type, data }: LayerMessage): Promise<void> {
    await this.sendBody(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`, { more: true });
  }
}

/** Responds with the next message, or with nothing after 20 s. */
class NextConsumer extends HttpConsumer<LayerScope> {
  override get groups(): readonly string[] {
    return ["news"];
  }

  override handle(): void {
    this.wait(20_000);
  }

  override async event({ data }: LayerMessage): Promise<void> {
    await this.sendResponse(200, JSON.stringify(data), { "content-type": "application/json" });
  }
}

/** Sends the message to all clients. */
class SayConsumer extends HttpConsumer<LayerScope> {
  override async handle(body: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(body).slice(0, 500);
    const { delivered } = await this.groupSend("news", { type: "said", data: { text } });
    await this.sendResponse(202, `${delivered} received it\n`, { "content-type": "text/plain" });
  }
}

const handler = toHandler(
  stack()
    .use(anyOrigin())
    .use(allowAnonymous())
    .use(layer(new MemoryChannelLayer()))
    .routes([
      route("/events", EventsConsumer),
      route("/next", NextConsumer),
      route("/say", SayConsumer),
    ]),
);

serve(handler, {
  port: Number(Deno.env.get("PORT") ?? 8000),
  drain: () => handler.drain(1000),
});
