import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { DurableStreams } from "@sluice/sluice/streams";
import { FakeClock } from "@sluice/sluice/testing";

const JSON_TYPE = { "content-type": "application/json" };
const TEXT = { "content-type": "text/plain" };

function open(options: ConstructorParameters<typeof DurableStreams>[1] = {}) {
  const streams = new DurableStreams(new MemoryKeyValue(), { longPollMs: 200, ...options });
  return async (
    method: string,
    path = "",
    { headers = {}, body }: { headers?: Record<string, string>; body?: BodyInit } = {},
  ) => {
    const request = new Request(`http://127.0.0.1/s${path}`, { method, headers, body });
    return await streams.handle(request, "s");
  };
}

test("DurableStreams creates a stream once, and refuses another configuration", async () => {
  const send = open();
  assert.equal((await send("PUT", "", { headers: TEXT })).status, 201);
  assert.equal((await send("PUT", "", { headers: TEXT })).status, 200);
  assert.equal((await send("PUT", "", { headers: JSON_TYPE })).status, 409);
  assert.equal((await send("DELETE")).status, 204);
  for (const method of ["GET", "HEAD", "DELETE"]) assert.equal((await send(method)).status, 404);
  assert.equal((await send("POST", "", { headers: TEXT, body: "x" })).status, 404);
});

test("DurableStreams reads bytes on from each offset", async () => {
  const send = open();
  await send("PUT", "", { headers: TEXT, body: "one " });
  const first = await send("GET");
  assert.equal(await first.text(), "one ");
  const next = first.headers.get("stream-next-offset");
  await send("POST", "", { headers: TEXT, body: "two" });
  const second = await send("GET", `?offset=${next}`);
  assert.equal(await second.text(), "two");
  assert.equal(second.headers.get("stream-up-to-date"), "true");
  const etag = second.headers.get("etag")!;
  const known = await send("GET", `?offset=${next}`, { headers: { "if-none-match": etag } });
  assert.equal(known.status, 304);
});

test("DurableStreams keeps the messages of a JSON stream apart, also large ones", async () => {
  const send = open();
  await send("PUT", "", { headers: JSON_TYPE });
  const large = { text: "x".repeat(150_000) };
  await send("POST", "", { headers: JSON_TYPE, body: JSON.stringify([1, [2, 3]]) });
  await send("POST", "", { headers: JSON_TYPE, body: JSON.stringify(large) });
  assert.deepEqual(await (await send("GET")).json(), [1, [2, 3], large]);
  for (const body of ["[]", "{", ""]) {
    assert.equal((await send("POST", "", { headers: JSON_TYPE, body })).status, 400);
  }
});

test("DurableStreams accepts each write of a producer once, and fences its old epochs", async () => {
  const send = open();
  await send("PUT", "", { headers: TEXT });
  const write = async (epoch: number, seq: number) => {
    const producer = { "producer-id": "p", "producer-epoch": `${epoch}`, "producer-seq": `${seq}` };
    return await send("POST", "", { headers: { ...TEXT, ...producer }, body: `${epoch}${seq} ` });
  };
  const statuses = [];
  const writes = [[0, 0], [0, 0], [0, 2], [0, 1], [1, 1], [1, 0], [0, 2]] as const;
  for (const [epoch, seq] of writes) statuses.push((await write(epoch, seq)).status);
  assert.deepEqual(statuses, [200, 204, 409, 200, 400, 200, 403]);
  assert.equal(await (await send("GET")).text(), "00 01 10 ");
  const half = await send("POST", "", { headers: { ...TEXT, "producer-id": "p" }, body: "x" });
  assert.equal(half.status, 400);
});

test("DurableStreams runs concurrent writes of a producer once each", async () => {
  const send = open();
  await send("PUT", "", { headers: TEXT });
  const producer = { "producer-id": "p", "producer-epoch": "0", "producer-seq": "0" };
  const responses = await Promise.all(Array.from({ length: 10 }, () => {
    return send("POST", "", { headers: { ...TEXT, ...producer }, body: "x" });
  }));
  assert.equal(responses.filter(({ status }) => status === 200).length, 1);
  assert.equal(await (await send("GET")).text(), "x");
});

test("DurableStreams closes a stream for good", async () => {
  const send = open();
  await send("PUT", "", { headers: TEXT });
  const closing = { ...TEXT, "stream-closed": "true" };
  assert.equal((await send("POST", "", { headers: closing, body: "end" })).status, 204);
  const late = await send("POST", "", { headers: TEXT, body: "more" });
  assert.deepEqual([late.status, late.headers.get("stream-closed")], [409, "true"]);
  assert.equal((await send("POST", "", { headers: { "stream-closed": "true" } })).status, 204);
  const { status, headers } = await send("GET", "?offset=now&live=long-poll");
  assert.deepEqual([status, headers.get("stream-closed")], [204, "true"]);
});

test("DurableStreams wakes a long-poll with the next bytes, and ends it without any", async () => {
  const send = open({ longPollMs: 5_000 });
  await send("PUT", "", { headers: TEXT });
  const poll = send("GET", "?offset=now&live=long-poll");
  await send("POST", "", { headers: TEXT, body: "x" });
  assert.equal(await (await poll).text(), "x");
  const idle = open({ longPollMs: 20 });
  await idle("PUT", "", { headers: TEXT });
  assert.equal((await idle("GET", "?offset=-1&live=long-poll")).status, 204);
});

test("DurableStreams sends events whose data cannot look like another event", async () => {
  const send = open();
  const body = "a\r\n\r\nevent: control\ndata: {}";
  await send("PUT", "", { headers: { ...TEXT, "stream-closed": "true" }, body });
  const events = (await (await send("GET", "?offset=-1&live=sse")).text()).split("\n\n");
  assert.deepEqual(events[0]!.split("\n"), [
    "event: data",
    "data:a",
    "data:",
    "data:event: control",
    "data:data: {}",
  ]);
  assert.equal(events.filter((event) => event.startsWith("event: control")).length, 1);
});

test("DurableStreams forgets a stream after its lifetime, which reads and writes extend", async () => {
  const clock = new FakeClock();
  const send = open({ clock });
  await send("PUT", "", { headers: { ...TEXT, "stream-ttl": "10" } });
  await clock.advance(9_000);
  assert.equal((await send("GET")).status, 200);
  await clock.advance(9_000);
  assert.equal((await send("HEAD")).headers.get("stream-ttl"), "10");
  await clock.advance(1_000);
  assert.equal((await send("GET")).status, 404);
  for (const ttl of ["-1", "01", "1.5", "x"]) {
    const refused = await send("PUT", "", { headers: { ...TEXT, "stream-ttl": ttl } });
    assert.equal(refused.status, 400);
  }
});

test("DurableStreams refuses large bodies and malformed offsets", async () => {
  const send = open({ maxBodyBytes: 100 });
  await send("PUT", "", { headers: TEXT });
  const large = await send("POST", "", { headers: TEXT, body: "x".repeat(101) });
  assert.equal(large.status, 413);
  for (
    const query of [
      "?offset=x",
      "?offset=",
      "?live=sse",
      "?offset=-1&live=x",
      "?offset=-1&offset=-1",
    ]
  ) {
    assert.equal((await send("GET", query)).status, 400, query);
  }
  assert.equal((await send("PATCH")).status, 405);
});

test("DurableStreams refuses bodies of too many messages, and long headers that are stored", async () => {
  const send = open();
  await send("PUT", "", { headers: JSON_TYPE });
  const many = (count: number) => ({
    headers: JSON_TYPE,
    body: JSON.stringify(Array(count).fill(0)),
  });
  assert.equal((await send("POST", "", many(100_000))).status, 413);
  assert.equal((await send("POST", "", many(400))).status, 204);
  const long = { "content-type": `text/${"x".repeat(1_000)}` };
  assert.equal((await send("PUT", "/long", { headers: long })).status, 400);
  const seq = { ...JSON_TYPE, "stream-seq": "x".repeat(1_000) };
  assert.equal((await send("POST", "", { headers: seq, body: "1" })).status, 400);
});

test("DurableStreams reads ahead little for a client that does not read its events", async () => {
  const kv = new MemoryKeyValue();
  const streams = new DurableStreams(kv);
  const send = (method: string, query = "", body?: string) => {
    const request = new Request(`http://127.0.0.1/s${query}`, { method, headers: TEXT, body });
    return streams.handle(request, "s");
  };
  await send("PUT");
  for (let number = 0; number < 20; number++) await send("POST", "", "x".repeat(300_000));
  let lists = 0;
  const { list } = kv;
  kv.list = (...args: Parameters<typeof list>) => {
    lists++;
    return list.apply(kv, args) as never;
  };
  const { body } = await send("GET", "?offset=-1&live=sse");
  const reader = body!.getReader();
  await reader.read();
  await setImmediate();
  assert.ok(lists <= 4, `${lists} lists`);
  await reader.cancel();
});
