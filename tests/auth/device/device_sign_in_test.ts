import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../../lib/protocol/mod.ts";
import { RateLimiter } from "../../../lib/security/mod.ts";
import { setUpDevices } from "../../support/auth/device_setup.ts";
import { type KeyValue, listAll, MemoryKeyValue } from "../../../lib/kv/mod.ts";

async function setUp(kv: KeyValue, options?: Parameters<typeof setUpDevices>[1]) {
  const parts = await setUpDevices(kv, options);
  return { ...parts, begun: await parts.begin() };
}

test("DeviceSignIn creates a session of the approving user, once", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, devices, ada, begun } = await setUp(kv);
  assert.match(begun.userCode, /^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
  assert.equal((await devices.poll(begun.deviceCode)).error, "authorization_pending");
  const typed = begun.userCode.toLowerCase().replace("-", " ");
  assert.deepEqual(await devices.find(typed, ada), {
    userCode: begun.userCode,
    userAgent: "tv/1",
    address: "192.0.2.1",
  });
  assert.equal(await devices.decide(typed, ada, true), true);
  const polls = await Promise.all([1, 2, 3].map(() => devices.poll(begun.deviceCode)));
  const given = polls.filter((poll) => poll.error === undefined);
  assert.equal(given.length, 1);
  const found = await sessions.find(given[0]!.token);
  assert.equal(found.state === "live" && found.session.userId, ada.user.id);
  assert.equal(found.state === "live" && found.session.userAgent, "tv/1");
  assert.equal((await sessions.list(ada.user.id)).length, 2);
  assert.equal((await devices.poll(begun.deviceCode)).error, "expired_token");
});

test("DeviceSignIn refuses a denied device, and asks for one decision only", async () => {
  await using kv = new MemoryKeyValue();
  const { devices, ada, begun } = await setUp(kv);
  assert.equal(await devices.decide(begun.userCode, ada, false), true);
  assert.equal(await devices.decide(begun.userCode, ada, true), false);
  assert.equal((await devices.poll(begun.deviceCode)).error, "access_denied");
  assert.equal((await devices.poll(begun.deviceCode)).error, "expired_token");
});

test("DeviceSignIn expires a device sign-in after ten minutes", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, devices, ada, begun } = await setUp(kv);
  clock.pause(600_000);
  assert.equal(await devices.find(begun.userCode, ada), undefined);
  assert.equal(await devices.decide(begun.userCode, ada, true), false);
  assert.equal((await devices.poll(begun.deviceCode)).error, "expired_token");
});

test("DeviceSignIn creates no session for a banned user or a user code", async () => {
  await using kv = new MemoryKeyValue();
  const { users, devices, ada, begun } = await setUp(kv);
  for (const guess of [begun.userCode, "", "x", "A".repeat(43)]) {
    assert.equal((await devices.poll(guess)).error, "expired_token");
  }
  await devices.decide(begun.userCode, ada, true);
  await users.update(ada.user.id, (user) => ({ ...user, bannedAt: 1 }));
  assert.equal((await devices.poll(begun.deviceCode)).error, "access_denied");
});

test("DeviceSignIn accepts no approval by a program's session, or by another user's", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, devices, ada, begin, begun } = await setUp(kv);
  await devices.decide(begun.userCode, ada, true);
  const poll = await devices.poll(begun.deviceCode);
  const program = (await sessions.list(ada.user.id)).find(({ kind }) => kind === "program")!;
  assert.ok(poll.error === undefined && program !== undefined);
  const eve = { ...ada.user, id: "eve" };
  const next = await begin();
  for (const approver of [{ user: ada.user, session: program }, { ...ada, user: eve }]) {
    const isForbidden = (error: unknown) => error instanceof Refusal && error.code === "FORBIDDEN";
    await assert.rejects(devices.find(next.userCode, approver), isForbidden);
    await assert.rejects(devices.decide(next.userCode, approver, true), isForbidden);
  }
  // The caller's copy of the session does not count.
  const forged = { user: ada.user, session: { ...ada.session, id: "A".repeat(16) } };
  await assert.rejects(devices.decide(next.userCode, forged, true), Refusal);
  assert.equal((await devices.poll(next.deviceCode)).error, "authorization_pending");
});

test("DeviceSignIn limits a session by the absolute limit of the approving one", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, sessions, devices, ada, begin } = await setUp(kv);
  const end = ada.session.createdAt + 7_200_000;
  clock.pause(3_000_000);
  await sessions.touch(ada.session);
  clock.pause(3_000_000);
  await sessions.touch((await sessions.get(ada.session.id))!);
  const begun = await begin();
  await devices.decide(begun.userCode, ada, true);
  const poll = await devices.poll(begun.deviceCode);
  assert.ok(poll.error === undefined);
  assert.equal(poll.expiresIn, (end - clock.now()) / 1000);
  clock.pause(1_199_999);
  assert.equal((await sessions.find(poll.token)).state, "live");
  clock.pause(1);
  assert.equal((await sessions.find(poll.token)).state, "expired");
});

test("DeviceSignIn lets new programs replace programs, but no browser", async () => {
  await using kv = new MemoryKeyValue();
  const { clock, sessions, devices, ada, begin, signIn } = await setUp(kv, { maxPerUser: 2 });
  clock.pause(1);
  const second = await signIn(ada.user);
  const tokens: string[] = [];
  for (let program = 0; program < 4; program++) {
    clock.pause(1);
    const { userCode, deviceCode } = await begin();
    await devices.decide(userCode, ada, true);
    const poll = await devices.poll(deviceCode);
    assert.ok(poll.error === undefined);
    tokens.push(poll.token);
  }
  const states = async (all: string[]) =>
    await Promise.all(all.map(async (token) => (await sessions.find(token)).state));
  assert.deepEqual(await states(tokens), ["unknown", "unknown", "live", "live"]);
  assert.deepEqual(await states([ada.token, second.token]), ["live", "live"]);
  const third = await signIn(ada.user);
  assert.deepEqual(await states([ada.token, second.token, third.token]), [
    "unknown",
    "live",
    "live",
  ]);
  assert.deepEqual(await states(tokens.slice(2)), ["live", "live"]);
});

/** A database that counts the writes of pending sign-ins. */
class CountingDatabase extends MemoryKeyValue {
  grantWrites = 0;
  protected override write(...[write]: Parameters<MemoryKeyValue["write"]>) {
    if (write.mutations.some(({ key }) => key[0] === "device_grants")) this.grantWrites++;
    return super.write(write);
  }
}

test("DeviceSignIn answers an early poll with slow_down, and writes nothing", async () => {
  await using kv = new CountingDatabase();
  const { clock, devices, begun } = await setUp(kv);
  kv.grantWrites = 0;
  await devices.poll(begun.deviceCode);
  assert.equal(kv.grantWrites, 1);
  for (let poll = 0; poll < 100; poll++) {
    clock.pause(49);
    assert.equal((await devices.poll(begun.deviceCode)).error, "slow_down");
  }
  for (let poll = 0; poll < 100; poll++) await devices.poll("A".repeat(43));
  assert.equal(kv.grantWrites, 1);
  clock.pause(100);
  assert.equal((await devices.poll(begun.deviceCode)).error, "authorization_pending");
  assert.equal(kv.grantWrites, 2);
});

test("DeviceSignIn limits wrong user codes by user and by address, even if sent at once", async () => {
  await using kv = new MemoryKeyValue();
  const guesses = new RateLimiter({ perMinute: 10 });
  const { devices, users, signIn, ada, begun } = await setUp(kv, { guesses });
  const at = (address: string) => ({ ...ada, address });
  const outcome = async (approver: typeof ada, code: string) =>
    await devices.find(code, approver).then((found) => found?.userCode, ({ code }) => code);
  const wrong = Array.from({ length: 200 }, () => outcome(at("192.0.2.1"), "BBBB-BBBB"));
  const refused = (await Promise.all(wrong)).filter((code) => code === "TOO_MANY_ATTEMPTS");
  assert.equal(refused.length, 190);
  // Then the right code fails as well: from elsewhere, and for another user there.
  assert.equal(await outcome(at("192.0.2.2"), begun.userCode), "TOO_MANY_ATTEMPTS");
  const profile = { provider: "dev", subject: "2", login: "eve", name: "Eve" };
  const eve = await signIn(await users.save({ ...profile, avatarUrl: undefined }));
  assert.equal(
    await outcome({ ...eve, address: "192.0.2.1" }, begun.userCode),
    "TOO_MANY_ATTEMPTS",
  );
  assert.equal(await outcome({ ...eve, address: "192.0.2.9" }, begun.userCode), begun.userCode);
  await assert.rejects(
    devices.decide(begun.userCode, ada, true),
    (error) => error instanceof Refusal && error.status === 429 && error.retryAfterSeconds! >= 1,
  );
});

test("DeviceSignIn does not count correct user codes", async () => {
  await using kv = new MemoryKeyValue();
  const guesses = new RateLimiter({ perMinute: 1 });
  const { devices, ada, begin } = await setUp(kv, { guesses });
  for (let device = 0; device < 20; device++) {
    const { userCode } = await begin();
    assert.ok(await devices.find(userCode, { ...ada, address: "192.0.2.1" }));
    assert.equal(await devices.decide(userCode, { ...ada, address: "192.0.2.1" }, true), true);
  }
});

test("KvDeviceGrantStore stores only the hash of a device's secret", async () => {
  await using kv = new MemoryKeyValue();
  const { begun } = await setUp(kv);
  const entries = await Array.fromAsync(listAll(kv, { prefix: [] }));
  assert.ok(entries.length >= 2);
  assert.ok(
    !JSON.stringify(entries.map(({ key, value }) => [key, value])).includes(begun.deviceCode),
  );
});
