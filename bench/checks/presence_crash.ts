/**
 * Do the remaining users see the correct list after one of three processes was killed?
 *
 * 1,000 users with 2 to 5 tabs each are in one room, and one process gets `kill -9`. Ten seconds later,
 * the list of each surviving process is checked, and the messages that one of its members received.
 * Fails if a list is not exact, or if a user's join or leave was missed or sent more than once.
 *
 * `deno task bench presence_crash [people] [runs]`; requires `deno task build`, and `redis-server` for
 * Redis.
 *
 * @module
 */
import { crashOne, type Survivor } from "../../tests/support/app/presence_crash.ts";
import { RedisServer, whyNoRedis } from "../../tests/support/redis/redis_server.ts";

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
  const lists = [`${expected.length} of ${people + 1} users are left, ${gone.length} are gone`];
  for (const { people: listed, joined, left, lastLeftMs = 0 } of survivors) {
    const words = `lists ${listed.length}, got ${joined.length} joins and ${left.length} leaves`;
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
