import { test } from "node:test";
import assert from "node:assert/strict";
import { JsonConsumer, type LayerScope, route, router } from "@sluice/sluice";
import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { FakeClock, startServer } from "@sluice/sluice/testing";
import { withLayer } from "../../lib/layers/with_layer.ts";
import { eventually } from "../support/eventually.ts";
import { silent } from "../support/silent_log.ts";

const messages = defineMessages({ client: {}, server: { said: unchecked<string>() } });

const ends: number[] = [];
let latest: Talker | undefined;

class Talker extends JsonConsumer<typeof messages, LayerScope> {
  readonly messages = messages;
  readonly handlers = {};

  override async connect() {
    await this.accept();
    latest = this;
  }

  override disconnect(code: number) {
    ends.push(code);
  }
}

function serve(clock?: FakeClock) {
  ends.length = 0;
  const application = withLayer(
    new MemoryChannelLayer(),
    router<LayerScope>([route("/ws/talk", Talker)]),
  );
  const server = startServer(application, { log: silent, ...(clock && { clock }) });
  const post = (body: string, accept = "*/*") =>
    fetch(`${server.url}/ws/talk`, {
      method: "POST",
      body,
      headers: { accept, "content-type": "text/plain" },
    });
  return { server, post };
}

/** Opens an event stream. Returns its id, and the rest of its text. */
async function open(post: ReturnType<typeof serve>["post"]) {
  const response = await post("", "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const id = /^event: open\ndata: (\S+)\n\n$/.exec(value)?.[1];
  assert.ok(id, value);
  return { id, reader, headers: response.headers };
}

test("an event stream cannot be stored or changed by a proxy, and has comments every 15 s", async () => {
  const clock = new FakeClock();
  const { server, post } = serve(clock);
  await using _server = server;
  const { headers, reader } = await open(post);
  assert.equal(headers.get("content-type"), "text/event-stream");
  assert.equal(headers.get("cache-control"), "no-store, no-transform");
  assert.equal(headers.get("x-accel-buffering"), "no");
  await clock.advance(15_000);
  assert.equal((await reader.read()).value, ":\n\n");
  await reader.cancel();
});

test("an event stream whose client posts nothing ends within 150 s, and not before 75 s", async () => {
  const clock = new FakeClock();
  const { server, post } = serve(clock);
  await using _server = server;
  const { id, reader } = await open(post);
  for (let passed = 0; passed < 300_000; passed += 60_000) {
    await clock.advance(60_000);
    assert.equal((await post(`${id}\n`)).status, 204);
  }
  assert.deepEqual(ends, []);
  await clock.advance(74_000);
  assert.deepEqual(ends, []);
  await clock.advance(76_000);
  await eventually(() => assert.deepEqual(ends, [1006]));
  await reader.cancel().catch(() => {});
});

test("an event stream whose client vanishes ends its consumer", async () => {
  const { server, post } = serve();
  await using _server = server;
  const { reader } = await open(post);
  await reader.cancel();
  await eventually(() => assert.deepEqual(ends, [1006]));
  assert.equal(server.handler.stats.open, 0);
});

test("a client that stops reading its event stream is disconnected within bounded memory", async () => {
  const { server, post } = serve();
  await using _server = server;
  const { reader } = await open(post);
  const text = "x".repeat(65_536);
  let sent = 0;
  while (latest!.sendJson({ type: "said", data: text })) {
    sent++;
    assert.ok(sent < 1_000);
    if (sent % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => assert.deepEqual(ends, [4408]));
  await reader.cancel().catch(() => {});
});
