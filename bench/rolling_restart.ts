/**
 * What do clients go through while the processes behind one port are restarted, one after the other?
 *
 * Two processes, sockets of the real client, and peers that answer no close frame. Printed for each
 * run: the fullest 100 ms of the attempts to come back, and of those who were let in, against an even
 * spread over the window; how long each process took to end, and consumers that let somebody in against those that were told of the end.
 * Fails where these differ, somebody is not back, or the fullest 100 ms of attempts have more than 1.5
 * times the even number; when they are let in is also the machine's business.
 *
 * `deno task bench rolling_restart [runs] [sockets] [drain seconds] [kv:|redis]`; needs
 * `deno task build`. All of it is in the way of each other on a small machine: `chrt -r 5` before the
 * command keeps other programs out of it.
 *
 * @module
 */
import { restartInTurn } from "../tests/e2e/rolling_restart.ts";
import { RedisServer } from "../tests/layers/redis_server.ts";

const [runs = 20, sockets = 2_000, drainSeconds = 10] = Deno.args.slice(0, 3).map(Number);
await using redis = Deno.args[3] === "redis" ? await RedisServer.start() : undefined;
const layer = redis?.url ?? "kv:";
const silent = Math.ceil(sockets / 20);

console.log(
  `${sockets} clients and ${silent} silent peers, a window of ${drainSeconds} s, ${layer}`,
);
console.log(
  "| run | came back | attempts, fullest 100 ms | let in | load stood still for ms | ended after s | failed | connected | of it told |",
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
console.log(`${runs - bad} of ${runs} runs as they should be`);
if (bad > 0) Deno.exitCode = 1;
