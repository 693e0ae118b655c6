/**
 * What do messages cost, and how long do they take? For each driver: one sender, and one member on a
 * second layer on the same bus, which stands for another process.
 *
 * `postgres` starts a PostgreSQL, and polls only once a minute: only notifications deliver in time.
 *
 * `deno task bench layers_delivery [memory] [kv] [postgres] [redis://…] [--quick]`
 *
 * @module
 */
import { type ChannelLayer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { PostgresServer } from "../../tests/support/postgres/postgres_server.ts";
import { providePostgres } from "../../tools/provide/postgres.ts";

const isQuick = Deno.args.includes("--quick");
const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const MESSAGES = isQuick ? 1_000 : 20_000;
const IN_FLIGHT = 100;
const message = { type: "said", data: { id: crypto.randomUUID(), text: "x".repeat(100) } };

await using servers = new AsyncDisposableStack();
for (const name of names.length > 0 ? names : ["memory", "kv"]) {
  const layers = await create(name);
  const [sender, receiver] = [layers[0]!, layers.at(-1)!];
  let received = 0;
  let heard: (() => void) | undefined;
  const channel = receiver.newChannel();
  receiver.attach(channel, {
    deliver() {
      received++;
      heard?.();
      return true;
    },
  });
  await receiver.groupAdd("g", channel);
  const times = [];
  for (let n = 0; n < 300; n++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    heard = resolve;
    const startedAt = performance.now();
    await sender.groupSend("g", message);
    await promise;
    times.push(performance.now() - startedAt);
  }
  heard = undefined;
  received = 0;
  const count = name === "kv" || name === "postgres" ? MESSAGES / 4 : MESSAGES;
  const startedAt = performance.now();
  let sent = 0;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (sent++ < count) await sender.groupSend("g", message);
  }));
  const publishing = performance.now() - startedAt;
  while (received < count) await new Promise((resolve) => setTimeout(resolve, 1));
  const delivering = performance.now() - startedAt;
  times.sort((a, b) => a - b);
  console.log(
    `${name.replace(/:.*/, "").padEnd(8)} published ${perSecond(count, publishing)}/s,`,
    `delivered ${perSecond(count, delivering)}/s (${IN_FLIGHT} in flight);`,
    `one at a time p50 ${times[150]!.toFixed(2)} ms, p99 ${times[297]!.toFixed(2)} ms`,
  );
  for (const layer of layers) await layer.close();
}
await servers.disposeAsync();
Deno.exit();

async function create(name: string): Promise<ChannelLayer[]> {
  if (name === "memory") return [new MemoryChannelLayer()];
  if (name === "postgres") return await onPostgres();
  if (name !== "kv") return [new RedisChannelLayer(name), new RedisChannelLayer(name)];
  const path = await Deno.makeTempFile({ suffix: ".sqlite3" });
  return [
    new KvChannelLayer(new DenoKeyValue(await Deno.openKv(path))),
    new KvChannelLayer(new DenoKeyValue(await Deno.openKv(path))),
  ];
}

async function onPostgres(): Promise<ChannelLayer[]> {
  await providePostgres(console.error);
  const server = servers.use(await PostgresServer.start(["fsync=on"]));
  return [1, 2].map(() => {
    return new KvChannelLayer(new PostgresKeyValue(server.url()), { pollMs: 60_000 });
  });
}

function perSecond(count: number, ms: number): string {
  return Math.round(count / ms * 1000).toLocaleString("en");
}
