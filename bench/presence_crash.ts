/**
 * Do those who stay agree on who is there, after one of three processes was killed?
 *
 * 1,000 people with 2 to 5 tabs each in one room, `kill -9` of one process, and 10 s later: the list of
 * each surviving process, and what somebody on it heard who was there all the time. Fails where a list
 * is not exact, or somebody joined or left more than once, or did not.
 *
 * `deno task bench presence_crash [people] [runs]`; needs `deno task build`, and for Redis a
 * `redis-server`.
 *
 * @module
 */
import { crashOne, type Survivor } from "../tests/e2e/presence_crash.ts";
import { RedisServer, whyNoRedis } from "../tests/layers/redis_server.ts";

const [people = 1_000, runs = 1] = Deno.args.map(Number);
const REDIS = "redis";
let isFine = true;

for (let run = 1; run <= runs; run++) {
  await report("kv:");
  if (whyNoRedis() === undefined) await report(REDIS);
}
if (!isFine) Deno.exit(1);
Deno.exit();

async function report(layer: string): Promise<void> {
  await using redis = layer === REDIS ? await RedisServer.start() : undefined;
  const began = performance.now();
  const crash = await crashOne(people, redis?.url ?? layer);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const { sockets, expected, gone, survivors } = crash;
  const lists = [`${expected.length} of ${people + 1} people are left, ${gone.length} went`];
  for (const { people: listed, joined, left, lastLeftMs = 0 } of survivors) {
    const words = `lists ${listed.length}, heard ${joined.length} joins and ${left.length} leaves`;
    lists.push(`${words}, the last ${(lastLeftMs / 1000).toFixed(1)} s after the crash`);
    isFine &&= isExact({ people: listed, joined, left, lastLeftMs });
  }
  console.log(
    `${layer}: ${sockets} sockets, ${seconds} s in all, ${isFine ? "exact" : "NOT exact"}`,
  );
  for (const line of lists) console.log(`  ${line}`);

  function isExact(survivor: Survivor): boolean {
    return same(survivor.people, expected) && same(survivor.left, gone) &&
      survivor.joined.length === people && new Set(survivor.joined).size === people;
  }
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
