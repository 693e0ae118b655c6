import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Consumer, HttpConsumer, StopConsumer } from "@sluice/sluice/consumers";
import { KeyValueError } from "@sluice/sluice/kv";
import { LayerError, type LayerScope } from "@sluice/sluice/layers";
import { StreamError } from "@sluice/sluice/streams";
import { communicate, communicateHttp, FaultyLayer } from "@sluice/sluice/testing";
import { FakeLog } from "../support/fake_log.ts";
import { answerError } from "../../lib/server/guarded_answer.ts";
import { ask, entered, roomParts, roomPeer } from "../support/consumers/stream_rooms.ts";

const OUTAGES = [
  new LayerError("UNAVAILABLE", "Redis is unreachable"),
  new KeyValueError("UNAVAILABLE", "The database is unreachable"),
  new StreamError("UNAVAILABLE", "The store is unreachable"),
];

class Grouped extends Consumer<Scope & LayerScope> {
  override get groups() {
    return ["all"];
  }
}

class Solitary extends Consumer<Scope & LayerScope> {}

function faulty(): FaultyLayer {
  const layer = new FaultyLayer();
  layer.fault = "unavailable";
  return layer;
}

/** Asserts that a response asks the client to retry. */
async function assertUnavailable(response: Response): Promise<void> {
  assert.deepEqual([response.status, (await response.json()).code], [503, "UNAVAILABLE"]);
  assert.equal(response.headers.get("retry-after"), "1");
}

test("a consumer with groups is refused with 503 before the upgrade if the layer cannot be reached", async () => {
  const log = new FakeLog();
  const options = { scope: { layers: { default: faulty() } }, log };
  const refused = await communicate(Grouped, options).connect();
  assert.deepEqual(refused, { accepted: false, status: 503, code: "UNAVAILABLE" });
  await assertUnavailable(await communicate(Grouped, options).request());
  assert.doesNotMatch(log.text, /^(warn|error)/m);
});

test("a consumer without groups needs no layer", async () => {
  const options = { scope: { layers: { default: faulty() } } };
  assert.equal((await communicate(Solitary, options).connect()).accepted, true);
});

test("handshakes at the same time check the layer once", async () => {
  const layer = new FaultyLayer();
  let checks = 0;
  const check = layer.check.bind(layer);
  layer.check = () => (checks++, check());
  const options = { scope: { layers: { default: layer } } };
  const peers = Array.from({ length: 20 }, () => communicate(Grouped, options));
  await Promise.all(peers.map((peer) => peer.connect()));
  assert.equal(checks, 1);
});

test("a room is refused with 503 before the upgrade if the layer cannot be reached", async () => {
  const refused = await roomPeer(roomParts({ layer: faulty() })).connect();
  assert.deepEqual(refused, { accepted: false, status: 503, code: "UNAVAILABLE" });
});

for (const outage of OUTAGES) {
  test(`a ${outage.name} before the upgrade is 503 UNAVAILABLE, and after it a close with 1013`, async () => {
    const log = new FakeLog();
    class Early extends Consumer {
      override connect(): Promise<void> {
        return Promise.reject(outage);
      }
    }
    class Late extends Consumer {
      override receive(): Promise<void> {
        return Promise.reject(outage);
      }
    }
    class Plain extends HttpConsumer {
      override handle(): Promise<void> {
        return Promise.reject(outage);
      }
    }
    const middleware = () => Promise.reject(outage);
    for (const target of [Early, middleware]) {
      await assertUnavailable(await communicate(target, { log }).request());
    }
    const { status, headers } = await communicateHttp(Plain, { log }).response();
    assert.deepEqual([status, headers.get("retry-after")], [503, "1"]);
    await assertUnavailable(answerError(outage, log));
    const late = communicate(Late, { log });
    await late.connect();
    late.send("hello");
    assert.deepEqual(await late.closed(), { code: 1013, reason: "service unavailable" });
    assert.doesNotMatch(log.text, /^(warn|error)/m);
  });
}

test("a handler that stops because its connection has ended logs no error", async () => {
  const parts = roomParts();
  const log = new FakeLog();
  parts.finish = () => {
    throw new StopConsumer("The connection has ended");
  };
  const { peer } = await entered(parts, "ada", undefined, { log });
  for (const key of [undefined, "k1"]) {
    const { error } = await ask(peer, { type: "count", key });
    assert.equal(error.code, "OUTCOME_UNKNOWN");
  }
  // What a repetition gets: some of the effect may have happened.
  parts.finish = () => {};
  assert.equal((await ask(peer, { type: "count", key: "k1" })).error.code, "OUTCOME_UNKNOWN");
  assert.doesNotMatch(log.text, /^(warn|error)/m);
});

test("a response that ends with its session is no failure of the server", async () => {
  class Endless extends HttpConsumer {
    override async handle(): Promise<void> {
      this.sendHeaders();
      await this.sendBody("begin", { more: true });
      this.scope.connection.end(4401, "signed out");
    }
  }
  const log = new FakeLog();
  const client = communicateHttp(Endless, { log });
  await client.head();
  const error = await client.response().then(() => undefined, (error: unknown) => error);
  assert.match(String(error), /Response aborted: 4401/);
  answerError(error, log);
  assert.doesNotMatch(log.text, /^(warn|error)/m);
});
