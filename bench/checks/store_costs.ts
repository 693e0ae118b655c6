/**
 * Unit costs of PostgreSQL for `deno task capacity`: the time of a read and of a commit, how many a
 * second several processes can make, and how many entries of the control log they can write.
 *
 * `deno task bench store_costs [postgres://…] [--quick]`: without an address, a server is started on
 * this machine, which then also does the work of the processes. Prints the options of
 * `deno task capacity`.
 *
 * @module
 */
import type { KeyValue } from "@sluice/sluice/kv";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { KvControlLog } from "../../lib/sessions/revocation/kv_control_log.ts";
import { PostgresServer } from "../../tests/support/postgres/postgres_server.ts";
import { mostEntries } from "../../tools/capacity/control_log.ts";
import { providePostgres } from "../../tools/provide/postgres.ts";

const isQuick = Deno.args.includes("--quick");
const [named] = Deno.args.filter((arg) => !arg.startsWith("--"));
const SECONDS = isQuick ? 1 : 5;
const PROCESSES = 4;
const AT_ONCE = 64;
const VALUE = { id: "x".repeat(16), text: "y".repeat(400) };

await using stack = new AsyncDisposableStack();
const url = named ?? await start();
const kvs = Array.from({ length: PROCESSES }, () => stack.use(new PostgresKeyValue(url)));
const [first] = kvs as [PostgresKeyValue];
for (let n = 0; n < 1_000; n++) await first.set(["bench", n], VALUE);

const keyOf = () => ["bench", Math.floor(Math.random() * 1_000)];
const read = (kv: KeyValue) => kv.get(keyOf());
const commit = (kv: KeyValue) => kv.set(keyOf(), VALUE);
const readMs = 1_000 / await rate([first], 1, read);
const commitMs = 1_000 / await rate([first], 1, commit);
const reads = await rate(kvs, AT_ONCE, read);
const commits = await rate(kvs, AT_ONCE, commit);
const logs = new Map(kvs.map((kv) => [kv, new KvControlLog(kv)]));
const entries = await rate(kvs, 1, (kv) => {
  return logs.get(kv)!.append({ type: "user-changed", userId: "ada" });
});
const simulated = mostEntries({ processes: PROCESSES, readMs, commitMs, planReads: 0 });
console.log(
  `${PROCESSES} processes write ${entries.toFixed(0)} entries of the control log a second;`,
  `the simulation says ${simulated}`,
);
console.log(
  `deno task capacity --read-ms ${readMs.toFixed(2)} --commit-ms ${commitMs.toFixed(2)}`,
  `--database-reads ${reads.toFixed(0)} --database-commits ${commits.toFixed(0)}`,
);
for (let n = 0; n < 1_000; n++) await first.delete(["bench", n]);
await stack.disposeAsync();
Deno.exit();

async function start(): Promise<string> {
  await providePostgres(console.error);
  return stack.use(await PostgresServer.start(["fsync=on"])).url();
}

/** Repeats an operation, `atOnce` at a time for each process, and returns how often per second. */
async function rate(
  kvs: readonly PostgresKeyValue[],
  atOnce: number,
  use: (kv: PostgresKeyValue) => Promise<unknown>,
): Promise<number> {
  let count = 0;
  const since = performance.now();
  const until = since + SECONDS * 1_000;
  await Promise.all(kvs.flatMap((kv) => {
    return Array.from({ length: atOnce }, async () => {
      while (performance.now() < until) {
        await use(kv);
        count++;
      }
    });
  }));
  return count / (performance.now() - since) * 1_000;
}
