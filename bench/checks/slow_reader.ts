/**
 * What does one stalled reader cost the other readers and the process?
 *
 * 1,000 readers get 5 MB/s in total, first without and then with a stalled reader, which is sent
 * another 5 MB/s. Prints the growth of memory, and the latency of the healthy readers in both phases.
 *
 * `deno run -A bench/checks/slow_reader.ts [seconds] [close|drop-oldest|latest]`
 *
 * @module
 */
import type { Scope } from "@sluice/sluice";
import { allowAnonymous } from "@sluice/sluice/auth";
import { memoryUsage } from "node:process";
import { Consumer } from "@sluice/sluice/consumers";
import type { SlowReaderPolicy } from "../../lib/core/consumer.ts";
import { layer as withLayer, type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import { openStalled } from "../support/stalled_client.ts";
import { quantile, round } from "../harness/report/statistics.ts";

const READERS = 1_000;
const BYTES_PER_SECOND = 5_000_000;
const MESSAGE_BYTES = 1_000;
const FLOOD_BYTES = 50_000;
const INTERVAL_MS = 1_000 * READERS * MESSAGE_BYTES / BYTES_PER_SECOND;

const seconds = Number(Deno.args[0] ?? 60);
const policy = (Deno.args[1] ?? "close") as SlowReaderPolicy;

class Reader extends Consumer<Scope & LayerScope> {
  override readonly slowReader = policy;
  override get groups() {
    return this.scope.path === "/firehose" ? ["all", "firehose"] : ["all"];
  }
  override event({ data }: { data?: unknown }) {
    this.send(String(data));
  }
}

const layer = new MemoryChannelLayer();
const application = stack()
  .use(anyOrigin())
  .use(allowAnonymous())
  .use(withLayer(layer))
  .routes([route("/*", Reader)]);
const handler = toHandler(application);
const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
const url = `ws://127.0.0.1:${server.addr.port}/`;

const readers = new Worker(new URL("../support/readers_worker.ts", import.meta.url), {
  type: "module",
});
const reports: number[][] = [];
await new Promise<void>((resolve) => {
  readers.onmessage = ({ data }) => data === "ready" ? resolve() : reports.push(data);
  readers.postMessage({ url, count: READERS });
});

const baseline = await phase();
const stalled = await openStalled(new URL(url.replace("ws:", "http:") + "firehose"));
const rss = memoryUsage().rss;
const withStalled = await phase();
const growth = (memoryUsage().rss - rss) / 2 ** 20;

console.log(`policy ${policy}, ${seconds} s each, ${READERS} readers, 5 MB/s in total`);
console.log(`memory grew by ${round(growth)} MiB; dropped ${handler.stats.dropped}`);
console.log(
  `p99 of healthy readers: ${round(baseline)} ms without, ${round(withStalled)} ms with it`,
);
console.log(`ratio ${round(withStalled / baseline)}; sockets open ${handler.stats.open}`);
stalled.destroy();
readers.terminate();
Deno.exit();

/** Publishes for a while. Returns the readers' 99th percentile latency, in milliseconds. */
async function phase(): Promise<number> {
  const until = performance.now() + seconds * 1000;
  reports.length = 0;
  while (performance.now() < until) {
    const head = `${Date.now()}`;
    await layer.groupSend("all", { type: "tick", data: head.padEnd(MESSAGE_BYTES, ".") });
    await flood();
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
  readers.postMessage("report");
  await new Promise((resolve) => setTimeout(resolve, 500));
  return quantile(reports.flat(), 0.99);
}

/** The stalled reader's own messages: as many bytes as for all others, in large messages. */
async function flood(): Promise<void> {
  for (let sent = 0; sent < BYTES_PER_SECOND * INTERVAL_MS / 1_000; sent += FLOOD_BYTES) {
    await layer.groupSend("firehose", { type: "tick", data: "0".padEnd(FLOOD_BYTES, ".") });
  }
}
