import { test } from "node:test";
import assert from "node:assert/strict";
import { PendingOwnPublishes } from "../../lib/layers/bus/pending_own_publishes.ts";
import { layerSettings } from "../../lib/layers/layer_options.ts";
import { LocalChannels } from "../../lib/layers/local/local_channels.ts";
import { LayerInbox } from "../../lib/testing/layers/layer_inbox.ts";

function group() {
  const local = new LocalChannels(layerSettings({}));
  const echoes = new PendingOwnPublishes(local);
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

test("PendingOwnPublishes delivers a returned message once", () => {
  const { echoes, inboxes, expect } = group();
  expect("frame");
  assert.equal(echoes.take("other"), false);
  assert.ok(echoes.isOut("frame"));
  assert.equal(echoes.take("frame"), true);
  assert.equal(echoes.take("frame"), false);
  assert.equal(echoes.isOut("frame"), false);
  assert.equal(echoes.outcome("frame").delivered, 2);
  assert.deepEqual(inboxes.map(({ types }) => types), [["hello"], ["hello"]]);
  assert.equal(echoes.take("frame"), false);
});

test("PendingOwnPublishes counts the members that missed a lost message", () => {
  const { local, echoes, expect } = group();
  for (const frame of ["lost", "failed"]) expect(frame);
  echoes.forget("failed");
  assert.deepEqual(echoes.outcome("lost"), { delivered: 0, queued: 0, dropped: 2 });
  assert.deepEqual(echoes.outcome("failed"), { delivered: 0, queued: 0, dropped: 0 });
  assert.equal(local.stats.dropped.gap, 2);
  assert.equal(echoes.take("lost"), false);
});
