import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { readHistory } from "../../lib/streams/history.ts";
import { RedisStreamStore } from "@sluice/sluice/streams/redis";
import { testStreamStore } from "@sluice/sluice/testing";
import { eventually } from "../support/eventually.ts";
import { RedisCluster } from "../support/redis/redis_cluster.ts";
import { type RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";
import { slotOf } from "../../lib/redis/redis_slots.ts";

const skip = whyNoRedis();
const options = { skip: skip ?? false, timeout: 60_000 };
let cluster: RedisCluster;

before(async () => {
  if (skip === undefined) cluster = await RedisCluster.start(3, 1);
});
after(() => cluster?.[Symbol.asyncDispose]());

testStreamStore(
  "RedisStreamStore over a cluster",
  ({ system, ...rest }) => new RedisStreamStore(cluster.url, { ...rest, prefix: system }),
  { time: "real", processes: true, skip },
);

/** Appends with keys, each again until it is stored, and remembers the outcomes. */
class Writer {
  readonly outcomes = new Map<string, { readonly epoch: string; readonly offset: number }>();
  readonly #store: RedisStreamStore;
  readonly #stream: string;
  #isOver = false;
  readonly #done: Promise<unknown>;

  constructor(store: RedisStreamStore, stream: string) {
    this.#store = store;
    this.#stream = stream;
    this.#done = Promise.all(["a", "b", "c", "d"].map((name) => this.#write(name)));
  }

  /** Waits for further appends. */
  async more(): Promise<void> {
    const count = this.outcomes.size + 50;
    await eventually(() => assert.ok(this.outcomes.size >= count), 20_000);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #write(name: string): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      const key = `${name}${number}`;
      const appended = await this.#append(key);
      this.outcomes.set(key, appended);
      // Every repetition has the same outcome.
      if (number % 10 === 0) {
        assert.deepEqual(await this.#append(key), { ...appended, isRepeated: true });
      }
    }
  }

  async #append(key: string) {
    for (let tries = 0;; tries++) {
      try {
        return await this.#store.append(this.#stream, { type: "said", data: key }, { key });
      } catch (error) {
        if ((error as { code?: string }).code !== "UNAVAILABLE" || tries > 500) throw error;
        await setTimeout(20);
      }
    }
  }
}

/** Returns the offsets of each key in a stream. */
async function readAll(store: RedisStreamStore, stream: string) {
  const found = new Map<unknown, number[]>();
  for (let after = 0;;) {
    const { messages, more } = await store.read(stream, { after, limit: 500 });
    for (const { data, offset } of messages) found.set(data, [...found.get(data) ?? [], offset]);
    if (!more) return found;
    after = messages.at(-1)!.offset;
  }
}

/** Asserts that the stream has each key once, at the offset of its first append. */
async function assertOnce(store: RedisStreamStore, stream: string, { outcomes }: Writer) {
  const found = await readAll(store, stream);
  const expected = [...outcomes].map(([key, { offset }]) => [key, [offset]] as const);
  assert.deepEqual(found, new Map(expected));
}

function openStore() {
  const prefix = crypto.randomUUID();
  const store = new RedisStreamStore(cluster.url, {
    prefix,
    timeoutMs: 5_000,
    maxMessages: 100_000,
  });
  // A stream of the first primary, which has a replica.
  const nameOf = (number: number) => `${prefix}:0:{s:room${number}}`;
  let number = 0;
  while (slotOf(nameOf(number)) >= 5_000) number++;
  return { store, stream: `room${number}`, key: nameOf(number) };
}

test(
  "RedisStreamStore appends once per key while the slot of a stream moves",
  options,
  async () => {
    const { store, stream, key } = openStore();
    const { epoch } = await store.state(stream);
    const writer = new Writer(store, stream);
    for (const to of [1, 2, 0]) {
      await writer.more();
      await cluster.migrate(key, cluster.primaries[to]!, () => writer.more());
    }
    await writer.more();
    await writer.stop();
    await assertOnce(store, stream, writer);
    const history = await readHistory(store, stream, { epoch, after: 0, limit: 1 });
    assert.equal(history.recovered, true);
    await store.close();
  },
);

test(
  "RedisStreamStore appends once per key during a failover that loses nothing",
  options,
  async () => {
    const { store, stream } = openStore();
    const { epoch } = await store.state(stream);
    const writer = new Writer(store, stream);
    await writer.more();
    const [replica] = cluster.replicas;
    await replica!.ask("CLUSTER", "FAILOVER");
    await eventually(async () => {
      assert.match(String(await replica!.ask("INFO", "replication")), /role:master/);
    }, 15_000);
    await writer.more();
    await writer.stop();
    await assertOnce(store, stream, writer);
    const history = await readHistory(store, stream, { epoch, after: 0, limit: 1 });
    assert.equal(history.recovered, true);
    await store.close();
  },
);

test(
  "RedisStreamStore loses only the newest messages if a primary is killed, and begins a new epoch",
  options,
  async () => {
    const { store, stream, key } = openStore();
    const { epoch } = await store.state(stream);
    const writer = new Writer(store, stream);
    await writer.more();
    const primary = await cluster.ownerOf(key);
    const replica = await spareOf(cluster);
    await eventually(async () => {
      assert.match(String(await replica.ask("INFO", "replication")), /master_link_status:up/);
    }, 15_000);
    await primary.kill();
    await failOver(replica, ["TAKEOVER"]);
    await writer.more();
    await writer.stop();
    const { earlier = [] } = await store.state(stream);
    const shared = earlier.find((known) => known.epoch === epoch)!.offset;
    const found = await readAll(store, stream);
    for (const [name, { epoch: itsEpoch, offset }] of writer.outcomes) {
      const isKept = itsEpoch !== epoch || offset <= shared;
      assert.deepEqual(found.get(name) ?? [], isKept ? [offset] : [], name);
    }
    await store.close();
  },
);

/** Returns the replica of the first primary. */
async function spareOf({ primaries, replicas }: RedisCluster): Promise<RedisServer> {
  for (const node of [...replicas, primaries[0]!]) {
    if (/role:slave/.test(String(await node.ask("INFO", "replication")))) return node;
  }
  throw new Error("There is no replica");
}

async function failOver(replica: RedisServer, how: readonly string[]): Promise<void> {
  await replica.ask("CLUSTER", "FAILOVER", ...how);
  await eventually(async () => {
    assert.match(String(await replica.ask("INFO", "replication")), /role:master/);
  }, 15_000);
}
