import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { StreamStore } from "@sluice/sluice/streams";
import { readHistory } from "../../lib/streams/history.ts";
import { RedisStreamStore } from "@sluice/sluice/streams/redis";
import { streamSender } from "@sluice/sluice/consumers";
import { SocketCutter } from "../support/streams/cut_socket.ts";
import { openRoom } from "../support/streams/stream_load.ts";
import { countMessages, serveStream } from "../support/streams/stream_server.ts";
import { eventually } from "../support/eventually.ts";
import { RedisServer, whyNoRedis } from "../support/redis/redis_server.ts";

const options = { skip: whyNoRedis() ?? false, timeout: 30_000 };

async function add(store: StreamStore, count: number) {
  const appends = Array.from({ length: count }, () => store.append("room", { type: "said" }));
  return (await Promise.all(appends)).at(-1)!;
}

/** Asks like a client that has handled the messages up to an offset. */
async function ask(store: StreamStore, epoch: string, after: number) {
  const { recovered, messages } = await readHistory(store, "room", { epoch, after });
  return { recovered, offsets: messages.map(({ offset }) => offset) };
}

/** Starts a Redis that keeps its data in a folder. */
async function startPersistent(appendfsync: "always" | "everysec") {
  const folder = await mkdtemp(join(tmpdir(), "sluice-aof-"));
  const server = await RedisServer.start(
    ["--dir", folder, "--appendonly", "yes", "--appendfsync", appendfsync],
  );
  const remove = () => rm(folder, { recursive: true });
  return { server, data: join(folder, "appendonlydir"), remove };
}

function startQuickly(): Promise<RedisServer> {
  return RedisServer.start(["--repl-diskless-sync-delay", "0"]);
}

async function linked(replica: RedisServer): Promise<void> {
  await eventually(async () => {
    assert.match(String(await replica.ask("INFO", "replication")), /master_link_status:up/);
  }, 10_000);
}

async function reconnected(store: StreamStore): Promise<void> {
  await eventually(() => store.state("room"), 10_000);
}

test(
  "RedisStreamStore does not reuse offsets in an epoch after Redis lost its newest writes [H22]",
  options,
  async () => {
    const { server, data, remove } = await startPersistent("everysec");
    await using _server = server;
    const store = new RedisStreamStore(server.url, { timeoutMs: 500 });
    const { epoch } = await add(store, 20);
    await eventually(async () => {
      const info = String(await server.ask("INFO", "persistence"));
      assert.match(info, /aof_buffer_length:0\r/);
      assert.match(info, /aof_pending_bio_fsync:0/);
    });
    await cp(data, `${data}-kept`, { recursive: true });
    await add(store, 10);
    await server.kill();
    await rm(data, { recursive: true });
    await cp(`${data}-kept`, data, { recursive: true });
    await server.restart();
    await reconnected(store);
    const next = await add(store, 15);
    assert.notEqual(next.epoch, epoch);
    assert.equal(next.offset, 35);
    assert.equal((await ask(store, epoch, 30)).recovered, false);
    assert.equal((await ask(store, epoch, 21)).recovered, false);
    const kept = await ask(store, epoch, 20);
    assert.equal(kept.recovered, true);
    assert.deepEqual(kept.offsets, Array.from({ length: 15 }, (_, index) => 21 + index));
    await store.close();
    await remove();
  },
);

test(
  "readers hear each message that is left once, and are told of a loss, after Redis lost its newest writes",
  options,
  async () => {
    const { server, data, remove } = await startPersistent("everysec");
    await using _server = server;
    const store = new RedisStreamStore(server.url, { timeoutMs: 500 });
    const served = serveStream(store);
    await using _served = served.server;
    const append = async (number: number) => {
      const message = { type: "added", data: { number, id: "" } };
      await streamSender({ store, layer: served.layer, messages: countMessages })
        .append({ name: "room", group: "room" }, message as never);
    };
    for (let number = 1; number <= 5; number++) await append(number);
    await cp(data, `${data}-kept`, { recursive: true });
    for (let number = 6; number <= 8; number++) await append(number);
    const room = openRoom(`${served.server.url}/ws/room`, new SocketCutter(), {
      ...await store.state("room"),
      offset: 0,
    });
    const heard: number[] = [];
    const recoveries: boolean[] = [];
    room.on("added", ({ number }) => void heard.push(number));
    room.onRecovered(({ recovered }) => void recoveries.push(recovered));
    await eventually(() => assert.equal(heard.length, 8));
    await server.kill();
    await rm(data, { recursive: true });
    await cp(`${data}-kept`, data, { recursive: true });
    await server.restart();
    await reconnected(store);
    for (let number = 11; number <= 20; number++) await append(number);
    await eventually(() => assert.equal(heard.at(-1), 20));
    room.close();
    assert.deepEqual(heard, [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    assert.deepEqual(recoveries, [true, false]);
    await store.close();
    await remove();
  },
);

test("RedisStreamStore lets readers go on after a restart that lost nothing", options, async () => {
  const { server, remove } = await startPersistent("always");
  await using _server = server;
  const store = new RedisStreamStore(server.url, { timeoutMs: 500 });
  const { epoch } = await add(store, 20);
  for (let round = 0; round < 3; round++) {
    await server.kill();
    await server.restart();
    await reconnected(store);
    await add(store, 1);
  }
  const { recovered, offsets } = await ask(store, epoch, 20);
  assert.equal(recovered, true);
  assert.deepEqual(offsets, [21, 22, 23]);
  assert.equal((await ask(store, epoch, 21)).recovered, false);
  await store.close();
  await remove();
});

test(
  "RedisStreamStore begins a new epoch after a failover to a replica that lacks writes [H22]",
  options,
  async () => {
    const [first, second] = await Promise.all([startQuickly(), startQuickly()]);
    await using _first = first, _second = second;
    await second.ask("REPLICAOF", "127.0.0.1", `${first.port}`);
    await linked(second);
    const before = new RedisStreamStore(first.url);
    const { epoch } = await add(before, 5);
    assert.equal(await first.ask("WAIT", "1", "5000"), 1);
    await second.ask("REPLICAOF", "NO", "ONE");
    assert.equal((await add(before, 5)).epoch, epoch); // The old primary does not know yet.
    await first.kill();
    const after = new RedisStreamStore(second.url);
    const next = await add(after, 10);
    assert.notEqual(next.epoch, epoch);
    assert.equal(next.offset, 15);
    assert.equal((await ask(after, epoch, 5)).offsets.length, 10);
    assert.equal((await ask(after, epoch, 6)).recovered, false);
    await before.close();
    await after.close();
  },
);
