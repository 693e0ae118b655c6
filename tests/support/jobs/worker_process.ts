/**
 * A child process of a test: `worker_process.ts LAYER PREFIX LEASE_MS HANDLER_MS` handles the jobs of
 * the channel `jobs`, whose data is a number. LAYER is the URL of a Redis or the path of a database.
 * Prints `begin N` and `done N` immediately.
 */
import { setTimeout } from "node:timers/promises";
import type { ChannelLayer, LayerMessage } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { channelRouter } from "@sluice/sluice/routing";
import { runWorker, Worker } from "@sluice/sluice/workers";
import type { ChannelWorker } from "../../../lib/workers/worker_consumer.ts";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";

if (import.meta.main) {
  const [address = "", prefix = "", leaseMs, handlerMs] = Deno.args;
  const layer = makeLayer(address, { prefix, leaseMs: Number(leaseMs) });
  class Slow implements ChannelWorker {
    async handle({ data }: LayerMessage): Promise<void> {
      say(`begin ${data}`);
      await setTimeout(Number(handlerMs));
      say(`done ${data}`);
    }
    stop(): void {}
  }
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const worker = new Worker(channelRouter({ jobs: Slow }), { layer, log });
  await runWorker(worker, ["jobs"], { log, close: () => layer.close() });
}

/** Creates a layer for a URL or a path. */
export function makeLayer(
  address: string,
  options: { readonly prefix: string; readonly leaseMs: number },
): ChannelLayer {
  if (address.startsWith("redis:")) return new RedisChannelLayer(address, options);
  let kv: Promise<Deno.Kv> | undefined;
  return new KvChannelLayer(new DenoKeyValue(() => kv ??= Deno.openKv(address)), options);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
