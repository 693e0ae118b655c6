import { test } from "node:test";
import assert from "node:assert/strict";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import { LayerInbox } from "../../../lib/testing/layers/layer_inbox.ts";
import { eventually } from "../../support/eventually.ts";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";
import { assertAllTold, Traffic } from "../../support/layers/traffic.ts";

const options = { skip: whyNoRedis() ?? false, timeout: 60_000 };
const UNAVAILABLE = { code: "UNAVAILABLE" };

/** A host name that switches from one Redis to another. Open connections stay. */
class Name implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  to: RedisServer;

  private constructor(to: RedisServer) {
    this.to = to;
    this.#server = createServer((socket) => {
      const other = createConnection(this.to.port, "127.0.0.1");
      for (const each of [socket, other]) {
        this.#sockets.add(each);
        each.on("error", () => {}).on("close", () => (socket.destroy(), other.destroy()));
      }
      socket.pipe(other).pipe(socket);
    });
  }

  static async of(to: RedisServer): Promise<Name> {
    const name = new Name(to);
    await new Promise<void>((done) => name.#server.listen(0, "127.0.0.1", done));
    return name;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}

/** Starts two servers, the second a replica of the first. */
async function startPair(): Promise<[RedisServer, RedisServer]> {
  const [first, second] = await Promise.all([RedisServer.start(), RedisServer.start()]);
  await replicate(second, first);
  return [first, second];
}

async function replicate(replica: RedisServer, primary: RedisServer): Promise<void> {
  await replica.ask("REPLICAOF", "127.0.0.1", `${primary.port}`);
}

/** Performs a planned failover: promotes the second server, and makes the first its replica. */
async function failOver(first: RedisServer, second: RedisServer): Promise<void> {
  await second.ask("REPLICAOF", "NO", "ONE");
  await replicate(first, second);
}

async function join(layer: ChannelLayer): Promise<LayerInbox> {
  const inbox = new LayerInbox();
  const channel = layer.newChannel();
  layer.attach(channel, inbox);
  await layer.groupAdd("g", channel);
  return inbox;
}

test(
  "RedisChannelLayer follows a planned failover under load, and reports a gap for every loss",
  options,
  async () => {
    const [first, second] = await startPair();
    await using _first = first, _second = second;
    await using name = await Name.of(first);
    const [one, other] = [new RedisChannelLayer(name.url), new RedisChannelLayer(name.url)];
    const [near, far] = [await join(one), await join(other)];
    const traffic = Traffic.toGroup(one, "g");
    await far.wait(50);
    await failOver(first, second);
    name.to = second;
    await Promise.all([near, far].map((inbox) => inbox.until(() => inbox.gaps.length > 0)));
    await eventually(async () => {
      assert.equal((await one.groupSend("g", { type: "back" })).processes, 1);
    });
    const report = await traffic.stop();
    for (const inbox of [near, far]) {
      await inbox.until(() => inbox.types.includes("back"));
      const numbers = inbox.messages.filter(({ type }) => type === "n").map(({ data }) => data);
      assertAllTold(report, numbers, inbox.gaps);
    }
    assert.ok(report.refused > 0);
    assert.match(String(await second.ask("PUBSUB", "SHARDNUMSUB", "sluice:0:{g:g}")), /,2$/);
    await one.close();
    await other.close();
  },
);

test("RedisChannelLayer detects a demotion while it only listens", options, async () => {
  const [first, second] = await startPair();
  await using _first = first, _second = second;
  await using name = await Name.of(first);
  const layer = new RedisChannelLayer(name.url);
  const inbox = await join(layer);
  await failOver(first, second);
  name.to = second;
  await inbox.until(() => inbox.gaps.length > 0);
  const sender = new RedisChannelLayer(second.url);
  assert.equal((await sender.groupSend("g", { type: "hello" })).processes, 1);
  await inbox.wait(1);
  await layer.close();
  await sender.close();
});

test(
  "RedisChannelLayer refuses every call while its host name points to a replica",
  options,
  async () => {
    const [first, second] = await startPair();
    await using _first = first, _second = second;
    const layer = new RedisChannelLayer(second.url);
    await assert.rejects(layer.check(), UNAVAILABLE);
    await assert.rejects(layer.groupSend("g", { type: "x" }), UNAVAILABLE);
    await assert.rejects(layer.send("jobs", { type: "x" }), UNAVAILABLE);
    await assert.rejects(layer.groupAdd("g", layer.newChannel()), UNAVAILABLE);
    // One of several addresses is enough.
    const both = new RedisChannelLayer(`${second.url},127.0.0.1:${first.port}`);
    await eventually(() => both.check());
    await second.ask("REPLICAOF", "NO", "ONE");
    await eventually(() => layer.check());
    await layer.close();
    await both.close();
  },
);

test("RedisChannelLayer.check() rejects at the first call after a demotion", options, async () => {
  const [first, second] = await startPair();
  await using _first = first, _second = second;
  const layer = new RedisChannelLayer(first.url);
  await join(layer);
  await layer.check();
  await failOver(first, second);
  await assert.rejects(layer.check(), UNAVAILABLE);
  await assert.rejects(layer.groupSend("g", { type: "x" }), UNAVAILABLE);
  await layer.close();
});

test("RedisChannelLayer keeps publishing on a primary whose disk is full", options, async () => {
  await using server = await RedisServer.start(["--save", "1 1", "--dir", "/proc"]);
  const layer = new RedisChannelLayer(server.url);
  const inbox = await join(layer);
  await server.ask("SET", "x", "y").catch(() => {});
  await eventually(async () => {
    assert.match(String(await server.ask("INFO", "persistence")), /rdb_last_bgsave_status:err/);
  });
  await layer.check();
  await layer.groupSend("g", { type: "hello" });
  await inbox.wait(1);
  await layer.close();
});
