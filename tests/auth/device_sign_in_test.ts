import assert from "node:assert/strict";
import { test } from "node:test";
import { DeviceSignIn, KvDeviceGrantStore, MemoryUserStore } from "../../lib/auth/mod.ts";
import { MemorySessionStore, Sessions } from "../../lib/sessions/mod.ts";
import { FakeClock } from "../sessions/fake_clock.ts";
import { FakeLog } from "../sessions/fakes.ts";

async function setUp(kv: Deno.Kv) {
  const clock = new FakeClock();
  const users = new MemoryUserStore({ clock });
  const sessions = new Sessions(new MemorySessionStore({ clock }), { clock, log: new FakeLog() });
  const grants = new KvDeviceGrantStore(kv, { clock });
  const devices = new DeviceSignIn({ grants, users, sessions, clock });
  const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada" };
  const ada = await users.save({ ...profile, avatarUrl: undefined });
  const begun = await devices.begin({ userAgent: "tv/1", address: "192.0.2.1" });
  return { clock, users, sessions, devices, ada, begun };
}

test("DeviceSignIn gives a session of whoever approves it, once", async () => {
  using kv = await Deno.openKv(":memory:");
  const { sessions, devices, ada, begun } = await setUp(kv);
  assert.match(begun.userCode, /^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
  assert.equal((await devices.poll(begun.deviceCode)).error, "authorization_pending");
  const typed = begun.userCode.toLowerCase().replace("-", " ");
  assert.deepEqual(await devices.find(typed), {
    userCode: begun.userCode,
    userAgent: "tv/1",
    address: "192.0.2.1",
  });
  assert.equal(await devices.decide(typed, ada, true), true);
  const polls = await Promise.all([1, 2, 3].map(() => devices.poll(begun.deviceCode)));
  const given = polls.filter((poll) => poll.error === undefined);
  assert.equal(given.length, 1);
  const found = await sessions.find(given[0]!.token);
  assert.equal(found.state === "live" && found.session.userId, ada.id);
  assert.equal(found.state === "live" && found.session.userAgent, "tv/1");
});

test("DeviceSignIn turns away who was denied, and asks nobody twice", async () => {
  using kv = await Deno.openKv(":memory:");
  const { devices, ada, begun } = await setUp(kv);
  assert.equal(await devices.decide(begun.userCode, ada, false), true);
  assert.equal(await devices.decide(begun.userCode, ada, true), false);
  assert.equal((await devices.poll(begun.deviceCode)).error, "access_denied");
  assert.equal((await devices.poll(begun.deviceCode)).error, "expired_token");
});

test("DeviceSignIn forgets a device after ten minutes", async () => {
  using kv = await Deno.openKv(":memory:");
  const { clock, devices, ada, begun } = await setUp(kv);
  clock.pause(600_000);
  assert.equal(await devices.find(begun.userCode), undefined);
  assert.equal(await devices.decide(begun.userCode, ada, true), false);
  assert.equal((await devices.poll(begun.deviceCode)).error, "expired_token");
});

test("DeviceSignIn tells a device that asks too often to slow down", async () => {
  using kv = await Deno.openKv(":memory:");
  const { clock, devices, begun } = await setUp(kv);
  await devices.poll(begun.deviceCode);
  assert.equal((await devices.poll(begun.deviceCode)).error, "slow_down");
  clock.pause(5_000);
  assert.equal((await devices.poll(begun.deviceCode)).error, "authorization_pending");
});

test("DeviceSignIn gives nothing to who was banned meanwhile, or knows the user code alone", async () => {
  using kv = await Deno.openKv(":memory:");
  const { users, devices, ada, begun } = await setUp(kv);
  for (const guess of [begun.userCode, "", "x", "A".repeat(43)]) {
    assert.equal((await devices.poll(guess)).error, "expired_token");
  }
  await devices.decide(begun.userCode, ada, true);
  await users.update(ada.id, (user) => ({ ...user, bannedAt: 1 }));
  assert.equal((await devices.poll(begun.deviceCode)).error, "access_denied");
});

test("KvDeviceGrantStore keeps nothing of a device's secret but its hash", async () => {
  using kv = await Deno.openKv(":memory:");
  const { begun } = await setUp(kv);
  const entries = await Array.fromAsync(kv.list({ prefix: [] }));
  assert.ok(entries.length >= 2);
  assert.ok(
    !JSON.stringify(entries.map(({ key, value }) => [key, value])).includes(begun.deviceCode),
  );
});
