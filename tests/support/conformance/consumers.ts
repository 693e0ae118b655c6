import type { LayerMessage, Scope } from "@sluice/sluice";
import { Consumer, HttpConsumer } from "@sluice/sluice/consumers";
import { type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";

/** Accepts everyone. */
export class Accepting extends Consumer {}

/** Echoes every message. */
export class Echo extends Consumer {
  override receive(data: string | Uint8Array) {
    this.send(data);
  }
}

/** Joins the group `chat` and forwards its messages to the client. */
export class Chatting extends Consumer<Scope & LayerScope> {
  override get groups(): readonly string[] {
    return ["chat"];
  }
  override event({ data }: LayerMessage) {
    this.send(String(data));
  }
}

/** Responds with its request: method, path, query, headers, body, address. */
export class Mirror extends HttpConsumer {
  override async handle(body: Uint8Array) {
    const { method, path, url, headers, address } = this.scope;
    const text = new TextDecoder().decode(body);
    const seen = { method, path, query: url.search, headers: [...headers], address, body: text };
    await this.sendResponse(200, JSON.stringify(seen), { "content-type": "application/json" });
  }
}

/** A layer, and the scope that passes it to a consumer. */
export function withTestLayer() {
  const layer = new MemoryChannelLayer();
  return { layer, scope: { layers: { default: layer } } };
}

/** A log that discards everything. */
