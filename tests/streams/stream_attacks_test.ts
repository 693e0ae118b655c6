import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { route, router, type Scope } from "@sluice/sluice";
import { streamDoor } from "@sluice/sluice/streams";
import type { DoorConsumer } from "../../lib/streams/http/stream_door.ts";
import { communicateHttp, startServer } from "@sluice/sluice/testing";
import { eventually } from "../support/eventually.ts";
import {
  ask,
  entered,
  RoomConsumer,
  type RoomParts,
  roomParts,
  type RoomScope,
} from "../support/consumers/stream_rooms.ts";

const door = streamDoor((scope: RoomScope): DoorConsumer => new RoomConsumer(scope), "room");

async function send(
  { store: streamStore, layer, ...parts }: RoomParts,
  {
    user = "ada",
    query = "",
    ...init
  }: { user?: string; query?: string; method?: string; headers?: HeadersInit; body?: string },
) {
  const scope = {
    streamStore,
    layers: { default: layer },
    user: { id: user },
    parts: { ...parts, store: streamStore, layer },
  };
  await using client = communicateHttp(door, {
    path: `/streams/chat/lobby${query}`,
    scope,
    ...init,
  });
  const { status, text } = await client.response();
  return { status, body: text === "" ? undefined : JSON.parse(text) };
}

test("an offset that no server issued is refused, whatever it contains", async () => {
  const parts = roomParts();
  await parts.store.append("chat.lobby", { type: "said", data: { text: "Hello" } });
  const { epoch } = await parts.store.state("chat.lobby");
  const digits = (text: string) => text.padStart(16, "0");
  const malformed = [
    `${epoch}_-1`,
    `${epoch}_${digits("-1")}`,
    `${epoch}_9999999999999999`,
    `${epoch}_${"9".repeat(400)}`,
    `${epoch}_0x00000000000001`,
    `${epoch}_${"１".repeat(16)}`,
    `${"a".repeat(65)}_${digits("1")}`,
    `épo😀_${digits("1")}`,
    `__proto__`,
    `${epoch}_${digits("1")}\u0000`,
    "NOW",
    "1e3",
  ];
  for (const offset of malformed) {
    const { status, body } = await send(parts, { query: `?offset=${encodeURIComponent(offset)}` });
    assert.deepEqual([status, body.code], [400, "INVALID_OFFSET"], offset);
  }
  const twice = await send(parts, { query: "?offset=-1&offset=now" });
  assert.deepEqual([twice.status, twice.body.code], [400, "INVALID_OFFSET"]);
  const beyond = [`${epoch}_${digits("2")}`, `__proto___${digits("0")}`, `other_${digits("0")}`];
  for (const offset of beyond) {
    const { status, body } = await send(parts, { query: `?offset=${offset}` });
    assert.deepEqual([status, body.code], [410, "OFFSET_GONE"], offset);
  }
});

test("`history` refuses positions that are no integers, and survives any epoch", async () => {
  const parts = roomParts();
  const { peer, stream } = await entered(parts);
  const history = (data: object) =>
    ask(peer, { type: "history", data: { stream: "room", ...data } });
  for (const after of [-1, 1.5, 2 ** 53, "1", null, {}, [], true]) {
    const { error } = await history({ epoch: stream.epoch, after });
    assert.equal(error.code, "INVALID_MESSAGE", JSON.stringify(after));
  }
  for (const epoch of ["", "__proto__", "😀", "x".repeat(64)]) {
    const { data } = await history({ epoch, after: 2 ** 53 - 1 });
    assert.equal(data.recovered, false);
  }
});

test("requests for history beyond the rate limit are refused", async () => {
  const parts = roomParts();
  let [reads, atOnce, most] = [0, 0, 0];
  const { read } = parts.store;
  parts.store.read = async (...args) => {
    reads++;
    most = Math.max(most, ++atOnce);
    await setImmediate();
    atOnce--;
    return await read.apply(parts.store, args);
  };
  const { peer } = await entered(parts);
  const before = reads;
  for (let id = 1; id <= 150; id++) {
    peer.sendJson({ type: "history", id: `${id}`, data: { stream: "room" } });
  }
  const codes = [];
  for (let reply = 0; reply < 150; reply++) {
    const { ok, error } = await peer.receiveJson() as { ok: boolean; error?: { code: string } };
    codes.push(ok ? "read" : error!.code);
  }
  const refused = codes.filter((code) => code === "RATE_LIMITED").length;
  assert.ok(refused >= 40, `${refused} refused`);
  assert.equal(reads - before, 150 - refused);
  assert.equal(most, 1);
});

for (const type of ["say", "count"]) {
  test(`the key of another user's "${type}" gives neither its reply nor its effect`, async () => {
    const parts = roomParts();
    const command = (user: string, room = "lobby") => {
      const scope = {
        user,
        method: "POST",
        body: JSON.stringify({ type, data: { text: "Hello" } }),
      };
      const headers = { "content-type": "application/json", "idempotency-key": "k1" };
      return send(parts, { ...scope, headers, query: `?${room}` });
    };
    const [ada, again, grace] = [
      await command("ada"),
      await command("ada"),
      await command("grace"),
    ];
    assert.deepEqual(again, ada);
    assert.notDeepEqual(grace.body, ada.body);
    assert.equal(parts.ran[type as "say" | "count"], 2);
    // A user whose id looks like a part of the other's name in the store.
    const tricky = await command(`ada","/ws/chat/lobby","k1`);
    assert.notDeepEqual(tricky.body, ada.body);
  });
}

test("an SSE client that does not read makes the server read no further", async () => {
  const parts = roomParts();
  let reads = 0;
  const { read } = parts.store;
  parts.store.read = (...args) => {
    reads++;
    return read.apply(parts.store, args);
  };
  const application = router<Scope>([route("/streams/room", (scope: Scope) => {
    const { store: streamStore, layer } = parts;
    const more = { streamStore, layers: { default: layer }, user: { id: "ada" }, parts };
    return door(Object.assign(scope, more) as unknown as RoomScope);
  })]);
  await using server = startServer(application);
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.pause();
  socket.write("GET /streams/room?offset=-1&live=sse HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  await eventually(() => assert.ok(reads > 0));
  const message = { type: "said", data: { text: "x".repeat(50_000) } };
  for (let number = 0; number < 1_000; number++) {
    await parts.store.append("chat.lobby", message);
    await parts.layer.groupSend("chat.lobby", message);
    await setImmediate();
  }
  // What the network buffers, in events of at least one message.
  assert.ok(reads < 500, `${reads} reads`);
  socket.destroy();
});
