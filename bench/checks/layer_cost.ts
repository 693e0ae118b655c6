/**
 * What does a delivered message of the memory layer cost, with 100 and with 10,000 members of a group?
 * `deno run -A bench/checks/layer_cost.ts`. Fails if the cost more than triples.
 *
 * Baseline: a `receive()` of Channels' in-memory layer costs 45 µs with 100 members and 6,590 µs with
 * 10,000, measured on two cores.
 *
 * @module
 */
import { MemoryChannelLayer } from "@sluice/sluice/layers";

const SIZES = [100, 1_000, 5_000, 10_000];
const DELIVERIES = 1_000_000;
const GROWTH = 3;

const message = { type: "said", data: { text: "hello", user: { id: "1", name: "Ada" } } };

const mailboxes = await each(attached);
const readers = await each(waiting);
for (const [kind, costs] of [["a mailbox", mailboxes], ["a reader", readers]] as const) {
  const growth = costs.at(-1)! / costs[0]!;
  console.log(`to ${kind}: × ${growth.toFixed(2)} from ${SIZES[0]} to ${SIZES.at(-1)} members`);
  if (growth > GROWTH) Deno.exitCode = 1;
}

async function each(run: (members: number, rounds: number) => Promise<number>): Promise<number[]> {
  const costs: number[] = [];
  await run(100, 1_000); // Warms up.
  for (const members of SIZES) {
    const cost = await run(members, DELIVERIES / members);
    console.log(`${run.name}: ${members} members, ${cost.toFixed(3)} µs per delivered message`);
    costs.push(cost);
  }
  return costs;
}

/** Members with a mailbox, like connections. */
async function attached(members: number, rounds: number): Promise<number> {
  const layer = new MemoryChannelLayer();
  let delivered = 0;
  for (let index = 0; index < members; index++) {
    const channel = layer.newChannel();
    layer.attach(channel, { deliver: () => ++delivered > 0 });
    await layer.groupAdd("all", channel);
  }
  const begun = performance.now();
  for (let round = 0; round < rounds; round++) await layer.groupSend("all", message);
  const cost = (performance.now() - begun) * 1000 / delivered;
  await layer.close();
  return cost;
}

/** Members whose messages wait and are received one by one, as in the measurement of Channels. */
async function waiting(members: number, rounds: number): Promise<number> {
  const layer = new MemoryChannelLayer();
  const channels = Array.from({ length: members }, () => layer.newChannel());
  for (const channel of channels) await layer.groupAdd("all", channel);
  const begun = performance.now();
  for (let round = 0; round < rounds; round++) {
    await layer.groupSend("all", message);
    for (const channel of channels) await layer.receive(channel);
  }
  const cost = (performance.now() - begun) * 1000 / (members * rounds);
  await layer.close();
  return cost;
}
