import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryChannelLayer } from "@sluice/sluice";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { MemoryStreamStore } from "@sluice/sluice/streams";
import { communicate, signedIn } from "@sluice/sluice/testing";
import { createApp } from "../server/app.ts";
import { ChatConsumer } from "../server/chat.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Returns a function that connects users to one room, without a network and without the checks. */
function createRoom() {
  const [layer, streamStore] = [new MemoryChannelLayer(), new MemoryStreamStore()];
  return async (login: string) => {
    const scope = {
      ...signedIn({ user: { login, name: login }, layer, params: { room: "lobby" } }),
      streamStore,
    };
    const peer = communicate(ChatConsumer, { scope });
    assert.equal((await peer.connect()).accepted, true);
    assert.equal((await peer.receiveJson())["type"], "stream");
    assert.equal((await peer.receiveJson())["type"], "welcome");
    return peer;
  };
}

test("a message reaches everyone in the room", async () => {
  const enter = createRoom();
  const [ada, grace] = [await enter("ada"), await enter("grace")];
  ada.sendJson({ type: "say", data: { text: "Hello" } });
  for (const peer of [ada, grace]) {
    const { type, data } = await peer.receiveJson() as { type: string; data: { text: string } };
    assert.deepEqual([type, data.text], ["said", "Hello"]);
    await peer.disconnect();
  }
});

test("an empty message is refused", async () => {
  const ada = await createRoom()("ada");
  ada.sendJson({ type: "say", data: { text: "  " }, id: "1" });
  const { ok, error } = await ada.receiveJson() as { ok: boolean; error: { code: string } };
  assert.deepEqual([ok, error.code], [false, "INVALID_MESSAGE"]);
  await ada.disconnect();
});

test("a client without a session is refused", async () => {
  const kv = new MemoryKeyValue();
  const app = createApp({ kv, channels: new MemoryChannelLayer(), providers: [], log });
  const headers = { "sec-fetch-site": "same-origin" };
  const request = new Request("http://127.0.0.1:8000/ws/chat/lobby", { headers });
  const response = await app.handle(request, {});
  assert.deepEqual([response.status, (await response.json()).code], [401, "NOT_SIGNED_IN"]);
  await app.close();
  await kv.close();
});
