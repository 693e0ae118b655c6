import { test } from "node:test";
import assert from "node:assert/strict";
import { Echoes } from "../../lib/layers/echoes.ts";
import { layerSettings } from "../../lib/layers/layer_options.ts";
import { LocalChannels } from "../../lib/layers/local_channels.ts";
import { LayerInbox } from "../../lib/testing/layer_inbox.ts";

function group() {
  const local = new LocalChannels(layerSettings({}));
  const echoes = new Echoes(local);
  const inboxes = [1, 2].map(() => {
    const [channel, inbox] = [local.names.next("x"), new LayerInbox()];
    local.attach(channel, inbox);
    local.groupAdd("g", channel);
    return inbox;
  });
  const plain = { message: { type: "hello" }, size: 1 };
  const expect = (frame: string) => echoes.expect(frame, { group: "g", plain, except: undefined });
  return { local, echoes, inboxes, expect };
}

test("Echoes deliver what comes back, once", async () => {
  const { echoes, inboxes, expect } = group();
  const echo = expect("frame");
  assert.equal(echoes.take("other"), false);
  assert.equal(echoes.take("frame"), true);
  assert.equal(echoes.take("frame"), false);
  assert.equal((await echo.outcome()).delivered, 2);
  assert.deepEqual(inboxes.map(({ types }) => types), [["hello"], ["hello"]]);
});

test("Echoes count members that a lost message was for, and settle what was waited for", async () => {
  const { local, echoes, expect } = group();
  const [published, failed] = [expect("1"), expect("2")];
  failed.forget();
  echoes.lost();
  assert.deepEqual(await published.outcome(), { delivered: 0, queued: 0, dropped: 2 });
  assert.equal(local.stats.dropped.gap, 2);
  assert.equal(echoes.take("1"), false);
});

test("Echoes do not wait for a group that ended", async () => {
  const { echoes, expect } = group();
  const echo = expect("1");
  echoes.groupEnded("g");
  assert.deepEqual(await echo.outcome(), { delivered: 0, queued: 0, dropped: 0 });
});
