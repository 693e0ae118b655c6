/**
 * Live figures: `deno run -A examples/dashboard.ts`.
 *
 * One timer measures and sends to a group, for any number of clients. A new client first receives the
 * last minute. Open `http://127.0.0.1:8000`.
 *
 * @module
 */
import {
  allowAnonymous,
  defineMessages,
  type HandlersOf,
  JsonConsumer,
  layer as withLayer,
  type LayerScope,
  MemoryChannelLayer,
  origins,
  route,
  stack,
  toHandler,
  unchecked,
} from "@sluice/sluice";
import { serve } from "@sluice/sluice/deno";
import { memoryUsage } from "node:process";

const EVERY_MS = 250;
const KEPT = 240;

/** One measurement. */
interface Figures {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly sockets: number;
  readonly megabytes: number;
  /** Delay of the timer: how long other work blocked the event loop. */
  readonly lagMs: number;
}

const messages = defineMessages({
  client: {},
  server: { past: unchecked<readonly Figures[]>(), figures: unchecked<Figures>() },
});

class DashboardConsumer extends JsonConsumer<typeof messages, LayerScope> {
  readonly messages = messages;
  readonly handlers: HandlersOf<DashboardConsumer> = {};

  override get groups(): readonly string[] {
    return ["dashboard"];
  }

  override connect(): void {
    this.accept();
    this.sendJson({ type: "past", data: past });
  }
}

const past: Figures[] = [];
const layer = new MemoryChannelLayer();
const realtime = toHandler(
  stack()
    .use(origins())
    .use(allowAnonymous())
    .use(withLayer(layer))
    .routes([route("/ws/dashboard", DashboardConsumer)]),
);

let due = Date.now() + EVERY_MS;
setInterval(() => {
  const at = Date.now();
  const lagMs = Math.max(0, at - due);
  due = at + EVERY_MS;
  const megabytes = Math.round(memoryUsage().rss / 1e5) / 10;
  const figures: Figures = { at, sockets: realtime.stats.open, megabytes, lagMs };
  past.push(figures);
  if (past.length > KEPT) past.shift();
  void layer.groupSend("dashboard", { type: "figures", data: figures });
}, EVERY_MS);

const PAGE = `<!doctype html><title>Dashboard</title><pre></pre>
<script>
  new WebSocket("/ws/dashboard", "sluice.v1").onmessage = ({ data }) => {
    for (const { type, data: figures } of data.split("\\n").map(JSON.parse)) {
      if (type === "figures") {
        document.querySelector("pre").textContent = JSON.stringify(figures, null, 2);
      }
    }
  };
</script>`;

serve((request, info) => {
  if (new URL(request.url).pathname.startsWith("/ws/")) return realtime(request, info);
  return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
}, { port: Number(Deno.env.get("PORT") ?? 8000), drain: () => realtime.drain(1000) });
