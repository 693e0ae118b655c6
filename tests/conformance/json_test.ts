import assert from "node:assert/strict";
import * as v from "valibot";
import type { Scope } from "@sluice/sluice";
import { type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import type { LayerScope } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { communicate } from "@sluice/sluice/testing";
import { withTestLayer } from "../support/conformance/consumers.ts";
import { silent } from "../support/silent_log.ts";
import { beyond, conforms } from "../support/conformance/conforms.ts";

const day = v.pipe(v.string(), v.isoDate(), v.transform((text) => new Date(`${text}T00:00:00Z`)));

const messages = defineMessages({
  client: {
    echo: { data: v.unknown(), reply: unchecked<unknown>() },
    meet: { data: v.object({ day }), reply: unchecked<number>() },
    fail: { data: v.undefined() },
  },
  server: { said: unchecked<{ readonly text: string }>() },
});

class Json extends JsonConsumer<typeof messages, Scope & LayerScope> {
  readonly messages = messages;
  readonly handlers = handlers;
  override get groups() {
    return ["json"];
  }
}

const handlers: HandlersOf<Json> = {
  echo: (data) => data === "date" ? new Date(0) : data,
  meet: ({ day }) => day.getTime(),
  fail() {
    throw new Error("secret");
  },
};

async function connected(options: { raise?: boolean } = {}) {
  const { layer, scope } = withTestLayer();
  const peer = communicate(Json, { scope, log: silent, ...options });
  await peer.connect();
  return { peer, layer };
}

conforms(
  [
    "channels/test_generic_websocket.py::test_json_websocket_consumer",
    "channels/test_generic_websocket.py::test_async_json_websocket_consumer",
  ],
  "a frame is parsed as JSON, handled, and answered as JSON",
  async () => {
    const { peer } = await connected();
    peer.sendJson({ type: "echo", data: { hello: "world" }, id: "1" });
    const reply = await peer.receiveJson();
    assert.deepEqual(reply, { type: "reply", id: "1", ok: true, data: { hello: "world" } });
  },
);

beyond(
  "json is not fatal",
  "a binary frame closes with 1003, and malformed or empty text is refused",
  async () => {
    const { peer } = await connected();
    for (const text of ["", "{", "1"]) {
      peer.send(text);
      assert.equal((await peer.receiveJson()).type, "error");
    }
    peer.send(new Uint8Array([123, 125]));
    assert.equal((await peer.closed()).code, 1003);
  },
);

beyond(
  "decode_json",
  "a schema transforms data: its handler gets the output of the schema",
  async () => {
    const { peer } = await connected();
    peer.sendJson({ type: "meet", data: { day: "2026-01-01" }, id: "1" });
    assert.equal((await peer.receiveJson()).data, Date.UTC(2026, 0, 1));
    peer.sendJson({ type: "meet", data: { day: "soon" }, id: "2" });
    assert.equal((await peer.receiveJson()).ok, false);
  },
);

beyond("encode_json", "an object with toJSON() is encoded by it", async () => {
  const { peer } = await connected();
  peer.sendJson({ type: "echo", data: "date", id: "1" });
  assert.equal((await peer.receiveJson()).data, "1970-01-01T00:00:00.000Z");
});

beyond(
  "handler errors",
  "a handler's bug is INTERNAL for the peer, and the socket stays",
  async () => {
    const { peer } = await connected({ raise: false });
    peer.sendJson({ type: "fail", id: "1" });
    assert.equal((await peer.receiveJson()).ok, false);
    peer.sendJson({ type: "echo", data: 1, id: "2" });
    assert.equal((await peer.receiveJson()).ok, true);
  },
);

beyond(
  "group to client",
  "a message declared for clients is forwarded to them without code",
  async () => {
    const { peer, layer } = await connected();
    await layer.groupSend("json", { type: "said", data: { text: "hi" } });
    assert.deepEqual(await peer.receiveJson(), { type: "said", data: { text: "hi" } });
  },
);
