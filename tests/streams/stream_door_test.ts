import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStreamStore, streamDoor } from "@sluice/sluice/streams";
import type { DoorConsumer } from "../../lib/streams/http/stream_door.ts";
import type { Scope } from "@sluice/sluice";
import { route, router } from "@sluice/sluice/routing";
import { communicateHttp, FakeClock, FaultyLayer } from "@sluice/sluice/testing";
import { createHandler } from "../../lib/server/gate.ts";
import { SharedRates } from "../../lib/server/connection/client_messages.ts";
import {
  ask,
  entered,
  RoomConsumer,
  type RoomParts,
  roomParts,
  type RoomScope,
} from "../support/consumers/stream_rooms.ts";

const door = streamDoor((scope: RoomScope): DoorConsumer => new RoomConsumer(scope), "room");

function request(
  parts: RoomParts,
  query = "",
  init: { method?: string; headers?: HeadersInit; body?: string } = {},
) {
  const { store: streamStore, layer } = parts;
  const scope = { streamStore, layers: { default: layer }, user: { id: "ada" }, parts };
  return communicateHttp(door, {
    path: `/streams/chat/lobby${query}`,
    scope,
    timeoutMs: 5_000,
    ...init,
  });
}

async function get(parts: RoomParts, query = "", headers: HeadersInit = {}) {
  await using client = request(parts, query, { headers });
  const { status, headers: got, text } = await client.response();
  return { status, headers: got, text, next: got.get("stream-next-offset")! };
}

async function filled(count: number): Promise<RoomParts> {
  const parts = roomParts();
  for (let number = 1; number <= count; number++) {
    await parts.store.append("chat.lobby", { type: "said", data: { text: `${number}` } });
  }
  return parts;
}

const said = (offset: number) => ({ type: "said", data: { text: `${offset}` }, offset });

test("GET reads a stream from its beginning, and then from the next offset", async () => {
  const parts = await filled(3);
  for (const query of ["", "?offset=-1"]) {
    const all = await get(parts, query);
    assert.deepEqual([all.status, JSON.parse(all.text)], [200, [said(1), said(2), said(3)]]);
    assert.equal(all.headers.get("content-type"), "application/json");
    assert.equal(all.headers.get("stream-up-to-date"), "true");
    assert.match(all.headers.get("cache-control")!, /private/);
  }
  const { next } = await get(parts);
  const end = await get(parts, `?offset=${next}`);
  assert.deepEqual([end.text, end.next], ["[]", next]);
  await parts.store.append("chat.lobby", { type: "said", data: { text: "4" } });
  const more = await get(parts, `?offset=${next}`);
  assert.deepEqual(JSON.parse(more.text), [said(4)]);
  assert.ok(more.next > next);
});

test("GET with offset=now returns no messages and the end", async () => {
  const parts = await filled(2);
  const now = await get(parts, "?offset=now");
  assert.deepEqual([now.text, now.headers.get("etag")], ["[]", null]);
  assert.equal(now.next, (await get(parts)).next);
});

test("GET answers 304 if the client has the same messages", async () => {
  const parts = await filled(2);
  const etag = (await get(parts)).headers.get("etag")!;
  const known = await get(parts, "", { "if-none-match": `"x", ${etag}` });
  assert.deepEqual([known.status, known.text], [304, ""]);
  await parts.store.append("chat.lobby", { type: "said", data: { text: "3" } });
  assert.equal((await get(parts, "", { "if-none-match": etag })).status, 200);
});

test("GET answers 410 for messages that are no longer kept, and for another history", async () => {
  const parts = await filled(5);
  const { next } = await get(parts, "?offset=now");
  const old = next.replace(/\d{16}$/, "1".padStart(16, "0"));
  await parts.store.trim("chat.lobby", 4);
  const gone = await get(parts, `?offset=${old}`);
  assert.deepEqual([gone.status, JSON.parse(gone.text).code], [410, "OFFSET_GONE"]);
  assert.deepEqual(JSON.parse((await get(parts)).text), [said(4), said(5)]);
  await parts.store.clear("chat.lobby");
  assert.equal((await get(parts, `?offset=${next}`)).status, 410);
  assert.equal((await get(parts, `?offset=${next}&live=sse`)).status, 410);
});

test("GET refuses malformed offsets and modes", async () => {
  const parts = await filled(1);
  const codes = {
    "?offset=x": "INVALID_OFFSET",
    "?offset=": "INVALID_OFFSET",
    "?offset=-2": "INVALID_OFFSET",
    "?live=long-poll": "INVALID_OFFSET",
    "?offset=-1&live=x": "INVALID_QUERY",
    "?live=": "INVALID_QUERY",
  };
  for (const [query, code] of Object.entries(codes)) {
    const refused = await get(parts, query);
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [400, code], query);
  }
});

test("GET does not answer 304 after messages have expired", async () => {
  const parts = await filled(3);
  const etag = (await get(parts)).headers.get("etag")!;
  await parts.store.trim("chat.lobby", 3);
  const { status, text } = await get(parts, "", { "if-none-match": etag });
  assert.deepEqual([status, JSON.parse(text)], [200, [said(3)]]);
  const left = (await get(parts)).headers.get("etag")!;
  await parts.store.trim("chat.lobby", 4);
  assert.equal((await get(parts, "", { "if-none-match": left })).status, 200);
});

test("GET answers 304 to `If-None-Match: *`", async () => {
  const { status, text } = await get(await filled(1), "", { "if-none-match": "*" });
  assert.deepEqual([status, text], [304, ""]);
});

test("GET returns a greater Stream-Cursor than the one of the client", async () => {
  const parts = await filled(1);
  for (const cursor of ["0", "99999999", "99999999999999999999", "9".repeat(100)]) {
    const { headers } = await get(parts, `?offset=-1&cursor=${cursor}`);
    assert.ok(BigInt(headers.get("stream-cursor")!) > BigInt(cursor), cursor);
  }
});

test("HEAD tells the end of a stream", async () => {
  const parts = await filled(2);
  await using client = request(parts, "", { method: "HEAD" });
  const { status, headers, text } = await client.response();
  assert.deepEqual([status, text], [200, ""]);
  assert.equal(headers.get("stream-next-offset"), (await get(parts)).next);
});

test("A long-poll waits for the next message", async () => {
  const parts = await filled(2);
  await using client = request(parts, "?offset=now&live=long-poll");
  const response = client.response();
  const { peer } = await entered(parts);
  await ask(peer, { type: "say", data: { text: "3" } });
  const { status, headers, text } = await response;
  assert.deepEqual([status, JSON.parse(text)], [200, [said(3)]]);
  assert.match(headers.get("stream-cursor")!, /^\d+$/);
  const at = (await get(parts, "?offset=-1&live=long-poll")).text;
  assert.equal(JSON.parse(at).length, 3);
});

test("An SSE response begins with the messages, and continues with new ones", async () => {
  const parts = await filled(1);
  await using client = request(parts, "?offset=-1&live=sse");
  const { headers } = await client.head();
  assert.equal(headers.get("content-type"), "text/event-stream");
  const first = await client.chunk();
  assert.match(
    first!,
    /^event: data\ndata: \[.*"offset":1\}\]\n\nevent: control\ndata: \{.*"upToDate":true\}\n\n$/,
  );
  const { peer } = await entered(parts);
  await ask(peer, { type: "say", data: { text: "2" } });
  assert.match((await client.chunk())!, /"offset":2/);
});

test("A client without permission is refused with 403", async () => {
  const parts = await filled(1);
  parts.mayRead = false;
  const refused = await get(parts);
  assert.deepEqual([refused.status, JSON.parse(refused.text).code], [403, "FORBIDDEN"]);
});

test("POST runs a command of the consumer, once per Idempotency-Key", async () => {
  const parts = roomParts();
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const init = {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    };
    await using client = request(parts, "", init);
    const { status, text } = await client.response();
    return { status, data: JSON.parse(text) };
  };
  const say = JSON.stringify({ type: "say", data: { text: "Hello" } });
  const first = await post(say, { "idempotency-key": "k1" });
  assert.equal(first.status, 200);
  assert.deepEqual(await post(say, { "idempotency-key": "k1" }), first);
  const { peer } = await entered(parts);
  const onSocket = await ask(peer, { type: "say", data: { text: "Hello" }, key: "k1" });
  assert.deepEqual(onSocket.data, first.data);
  assert.equal((await parts.store.state("chat.lobby")).offset, 1);

  const refusals: [string, Record<string, string>, number, string][] = [
    ["nonsense", {}, 400, "INVALID_JSON"],
    [JSON.stringify({ type: "say", data: {} }), {}, 400, "INVALID_MESSAGE"],
    [JSON.stringify({ type: "shout" }), {}, 400, "UNKNOWN_TYPE"],
    [say, { "idempotency-key": "not a key" }, 400, "INVALID_MESSAGE"],
    [say, { "content-type": "text/plain" }, 400, "INVALID_MESSAGE"],
  ];
  for (const [body, headers, status, code] of refusals) {
    const refused = await post(body, headers);
    assert.deepEqual([refused.status, refused.data.code], [status, code], body);
  }
});

test("POST refuses the frames of sockets as unknown, and a second, different key", async () => {
  const parts = roomParts();
  const post = async (frame: object, key?: string) => {
    const headers = {
      "content-type": "application/json",
      ...key === undefined ? {} : { "idempotency-key": key },
    };
    await using client = request(parts, "", {
      method: "POST",
      body: JSON.stringify(frame),
      headers,
    });
    const { status, text } = await client.response();
    return [status, JSON.parse(text)] as const;
  };
  for (const type of ["history", "ping", "stream", "reply", "error"]) {
    const [status, { code }] = await post({ type, data: { stream: "room" } });
    assert.deepEqual([status, code], [400, "UNKNOWN_TYPE"], type);
  }
  const say = { type: "say", data: { text: "Hello" } };
  const [status, { code, issues }] = await post({ ...say, key: "k1" }, "k2");
  assert.deepEqual([status, code, issues[0].path], [400, "INVALID_MESSAGE", "key"]);
  const first = await post(say, "k1");
  assert.equal(first[0], 200);
  assert.deepEqual(await post({ ...say, key: "k1" }), first);
  assert.deepEqual(await post({ ...say, key: "k1" }, "k1"), first);
  // Every repetition of a key gets the first reply.
  assert.deepEqual(await post({ type: "say", data: {} }, "k1"), first);
  assert.equal((await post({ type: "say", data: {} }, "k3"))[1].code, "INVALID_MESSAGE");
  assert.equal((await parts.store.state("chat.lobby")).offset, 1);
});

test("POST takes from a rate limit per user and path, which many requests share", async () => {
  const parts = roomParts();
  const { store: streamStore, layer } = parts;
  const application = router<Scope>([route("/streams/:room", (scope: Scope) => {
    const user = { id: scope.headers.get("authorization") };
    const more = { streamStore, layers: { default: layer }, parts, user };
    return door(Object.assign(scope, more) as unknown as RoomScope);
  })]);
  const clock = new FakeClock();
  const limits = { messagesPerSecond: 1, messageBurst: 3 };
  const handler = createHandler(application, { clock, limits });
  const say = async (user: string, path = "a") => {
    const response = await handler(
      new Request(`http://sluice.test/streams/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: user },
        body: '{"type":"say","data":{"text":"Hello"}}',
      }),
    );
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after")];
  };
  for (let number = 0; number < 3; number++) assert.deepEqual(await say("ada"), [200, null]);
  assert.deepEqual(await say("ada"), [429, "1"]);
  assert.deepEqual([await say("ada", "b"), await say("grace")], [[200, null], [200, null]]);
  await clock.advance(1_000);
  assert.deepEqual([await say("ada"), await say("ada")], [[200, null], [429, "1"]]);
});

test("SharedRates keeps a bounded number of limits", () => {
  const rates = new SharedRates();
  const limits = { messagesPerSecond: 1, messageBurst: 1 };
  assert.deepEqual([rates.take("0", 0, limits), rates.take("0", 0, limits)], [true, false]);
  for (let key = 1; key <= 10_000; key++) rates.take(`${key}`, 0, limits);
  // The least recently used one was dropped.
  assert.deepEqual([rates.take("0", 0, limits), rates.take("9999", 0, limits)], [true, false]);
});

test("A door answers 503 if the store cannot be reached", async () => {
  const parts = roomParts({ store: new MemoryStreamStore() });
  await parts.store.close();
  const refused = await get(parts);
  assert.deepEqual([refused.status, JSON.parse(refused.text).code], [503, "UNAVAILABLE"]);
  assert.equal(refused.headers.get("retry-after"), "1");
});

test("A live read answers 503 if the layer cannot be reached, and other reads need no layer", async () => {
  const layer = new FaultyLayer();
  const parts = roomParts({ layer });
  await parts.store.append("chat.lobby", { type: "said", data: { text: "1" } });
  layer.fault = "unavailable";
  for (const live of ["long-poll", "sse"]) {
    const refused = await get(parts, `?offset=-1&live=${live}`);
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [503, "UNAVAILABLE"]);
    assert.equal(refused.headers.get("retry-after"), "1");
  }
  const caughtUp = await get(parts);
  assert.deepEqual([caughtUp.status, JSON.parse(caughtUp.text)], [200, [said(1)]]);
  await using head = request(parts, "", { method: "HEAD" });
  assert.equal((await head.response()).status, 200);
  parts.mayRead = false;
  assert.equal((await get(parts)).status, 403);
});

test("A live read ends if its history is lost: a long-poll with 410, events without an error", async () => {
  const parts = await filled(2);
  const { next } = await get(parts);
  await using poll = request(parts, `?offset=${next}&live=long-poll`);
  await using events = request(parts, `?offset=${next}&live=sse`);
  const answer = poll.response();
  await events.head();
  await events.chunk();
  await parts.store.clear("chat.lobby");
  const { peer } = await entered(parts);
  await ask(peer, { type: "say", data: { text: "new" } });
  const { status, text } = await answer;
  assert.deepEqual([status, JSON.parse(text).code], [410, "OFFSET_GONE"]);
  assert.equal(await events.chunk(), undefined);
});

test("A live read ends if the store cannot be reached: a long-poll with 503", async () => {
  const parts = await filled(1);
  await using poll = request(parts, "?offset=now&live=long-poll");
  const answer = poll.response();
  await using events = request(parts, "?offset=now&live=sse");
  await events.head();
  await events.chunk();
  await parts.store.close();
  await parts.layer.groupSend("chat.lobby", { type: "said", data: { text: "x" } });
  const { status, text } = await answer;
  assert.deepEqual([status, JSON.parse(text).code], [503, "UNAVAILABLE"]);
  assert.equal(await events.chunk(), undefined);
});
