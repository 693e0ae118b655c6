/**
 * What do clients experience while the processes behind one port are restarted one after the other?
 *
 * Two processes serve sockets of the real client, and peers that do not answer close frames. Each run
 * prints the busiest 100 ms of reconnect attempts and of accepted connections, relative to an even
 * spread over the window; how long each process took to end; and how many consumers connected and
 * disconnected. Fails if the last two differ, a client is not back, or the busiest 100 ms of
 * attempts have more than 1.5 times the even number. Accepted connections also depend on the machine's
 * speed, so they do not fail a run.
 *
 * `deno task bench rolling_restart [runs] [sockets] [drain seconds] [kv:|redis]`; requires
 * `deno task build`. On a small machine, run the command with `chrt -r 5` to keep other programs from
 * interfering.
 *
 * @module
 */
import { restartInTurn } from "../../tests/support/app/rolling_restart.ts";
import { RedisServer } from "../../tests/support/redis/redis_server.ts";

const [runs = 20, sockets = 2_000, drainSeconds = 10] = Deno.args.slice(0, 3).map(Number);
await using redis = Deno.args[3] === "redis" ? await RedisServer.start() : undefined;
const layer = redis?.url ?? "kv:";
const silent = Math.ceil(sockets / 20);

console.log(
  `${sockets} clients and ${silent} silent peers, a window of ${drainSeconds} s, ${layer}`,
);
console.log(
  "| run | came back | attempts, busiest 100 ms | accepted | load paused for ms | ended after s | failed | connected | disconnected |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
let bad = 0;
for (let run = 1; run <= runs; run++) {
  const result = await restartInTurn({ sockets, silent, drainSeconds, layer });
  const { drained, connected, disconnected, live, failed } = result;
  const isFine = connected === disconnected && live === sockets &&
    drained.every(({ attemptPeak }) => attemptPeak <= 1.5);
  if (!isFine) bad++;
  const each = (of: (drain: typeof drained[number]) => string) => drained.map(of).join(", ");
  console.log(`| ${
    [
      run,
      each(({ cameBack }) => `${cameBack}`),
      each(({ attemptPeak }) => `× ${attemptPeak.toFixed(2)}`),
      each(({ livePeak }) => `× ${livePeak.toFixed(2)}`),
      each(({ loadPauseMs }) => loadPauseMs.toFixed(0)),
      each(({ tookMs }) => (tookMs / 1000).toFixed(1)),
      failed,
      connected,
      disconnected,
    ].join(" | ")
  } |`);
}
console.log(`${runs - bad} of ${runs} runs passed`);
if (bad > 0) Deno.exitCode = 1;
