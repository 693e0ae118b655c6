import assert from "node:assert/strict";
import { test } from "node:test";
import { UserChanges } from "../../../lib/auth/mod.ts";
import { setUpDevices } from "../../support/auth/device_setup.ts";
import { type KeyValue, MemoryKeyValue } from "../../../lib/kv/mod.ts";

type Parts = Awaited<ReturnType<typeof setUpDevices>>;

async function setUp(kv: KeyValue) {
  const parts = await setUpDevices(kv);
  return { ...parts, begun: await parts.begin() };
}

const REVOCATIONS: [what: string, revoke: (parts: Parts) => Promise<unknown>][] = [
  ["signed out", ({ sessions, ada }) => sessions.end(ada.session.id, "signed-out")],
  ["was ended from elsewhere", ({ sessions, ada }) => sessions.end(ada.session.id, "revoked")],
  [
    "was replaced by another sign-in",
    ({ sessions, ada }) => sessions.end(ada.session.id, "replaced"),
  ],
  [
    "ended all others",
    ({ sessions, ada }) => sessions.endAll(ada.user.id, { except: ada.session.id }),
  ],
  [
    "was ended by another one that ended all others",
    async ({ sessions, ada, signIn }) =>
      await sessions.endAll(ada.user.id, { except: (await signIn(ada.user)).session.id }),
  ],
  ["ended with all sessions", ({ sessions, ada }) => sessions.endAll(ada.user.id)],
  ["ended by a ban", (parts) => new UserChanges(parts).ban(parts.ada.user.id)],
  ["ended by a ban that was lifted", async (parts) => {
    await new UserChanges(parts).ban(parts.ada.user.id);
    await new UserChanges(parts).unban(parts.ada.user.id);
  }],
  ["ended by a ban that failed partway and was lifted", async (parts) => {
    parts.store.failDelete = 1;
    await assert.rejects(new UserChanges(parts).ban(parts.ada.user.id));
    await new UserChanges(parts).unban(parts.ada.user.id);
  }],
  [
    "belongs to a user who was removed",
    (parts) => new UserChanges(parts).remove(parts.ada.user.id),
  ],
  ["expired", ({ clock }) => Promise.resolve(clock.pause(3_600_000))],
];

for (const [what, revoke] of REVOCATIONS) {
  test(`DeviceSignIn redeems nothing once the approving session ${what}`, async () => {
    await using kv = new MemoryKeyValue();
    const { begun, ...parts } = await setUp(kv);
    const isExpiry = what === "expired";
    if (isExpiry) parts.clock.pause(3_590_000);
    const device = isExpiry ? await parts.begin() : begun;
    assert.equal(await parts.devices.decide(device.userCode, parts.ada, true), true);
    if (isExpiry) parts.clock.pause(10_000);
    else await revoke(parts);
    assert.equal((await parts.devices.poll(device.deviceCode)).error, "access_denied");
    assert.equal((await parts.devices.poll(device.deviceCode)).error, "expired_token");
    const kinds = (await parts.sessions.list(parts.ada.user.id)).map(({ kind }) => kind);
    assert.ok(!kinds.includes("program"));
  });
}

for (const [what, revoke] of REVOCATIONS) {
  if (what === "expired" || what.includes("half way")) continue;
  test(`DeviceSignIn leaves no session if the approving session ${what} meanwhile`, async () => {
    await using kv = new MemoryKeyValue();
    const { begun, ...parts } = await setUp(kv);
    await parts.devices.decide(begun.userCode, parts.ada, true);
    // A revocation between the check and the new session, which it does not see.
    const create = parts.store.create.bind(parts.store);
    parts.store.create = async (record) => {
      parts.store.create = create;
      await revoke(parts);
      await create(record);
    };
    assert.equal((await parts.devices.poll(begun.deviceCode)).error, "access_denied");
    const kinds = (await parts.sessions.list(parts.ada.user.id)).map(({ kind }) => kind);
    assert.ok(!kinds.includes("program"));
  });
}

test("DeviceSignIn redeems an approval given after all other sessions ended", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, devices, ada, begun } = await setUp(kv);
  await sessions.endAll(ada.user.id, { except: ada.session.id });
  await devices.decide(begun.userCode, ada, true);
  assert.equal((await devices.poll(begun.deviceCode)).error, undefined);
});

test("DeviceSignIn redeems an approval after an unrelated session ended", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, devices, ada, begun, signIn } = await setUp(kv);
  const other = await signIn(ada.user);
  await devices.decide(begun.userCode, ada, true);
  await sessions.end(other.session.id, "revoked");
  await sessions.rotate(ada.session.id);
  assert.equal((await devices.poll(begun.deviceCode)).error, undefined);
});

for (const isCreated of [false, true]) {
  const what = isCreated ? "was created without a confirmation" : "could not be created once";
  test(`DeviceSignIn ends up with one session if it ${what}`, async () => {
    await using kv = new MemoryKeyValue();
    const { store, sessions, devices, ada, begun } = await setUp(kv);
    await devices.decide(begun.userCode, ada, true);
    store.failCreate = 2;
    store.createsAllTheSame = isCreated;
    await assert.rejects(devices.poll(begun.deviceCode), /store is down/);
    await assert.rejects(devices.poll(begun.deviceCode), /store is down/);
    const poll = await devices.poll(begun.deviceCode);
    assert.ok(poll.error === undefined);
    assert.equal((await sessions.find(poll.token)).state, "live");
    const programs = (await sessions.list(ada.user.id)).filter(({ kind }) => kind === "program");
    assert.equal(programs.length, 1);
  });
}

test("DeviceSignIn creates one session for many concurrent polls, some of which fail", async () => {
  await using kv = new MemoryKeyValue();
  const { store, sessions, devices, ada, begun } = await setUp(kv);
  await devices.decide(begun.userCode, ada, true);
  store.failCreate = 4;
  store.createsAllTheSame = true;
  const tokens: string[] = [];
  for (let round = 0; round < 20 && tokens.length === 0; round++) {
    const polls = await Promise.allSettled(
      Array.from({ length: 8 }, () => devices.poll(begun.deviceCode)),
    );
    for (const poll of polls) {
      if (poll.status === "fulfilled" && poll.value.error === undefined) {
        tokens.push(poll.value.token);
      }
    }
  }
  assert.equal(tokens.length, 1);
  assert.equal((await sessions.find(tokens[0])).state, "live");
  const programs = (await sessions.list(ada.user.id)).filter(({ kind }) => kind === "program");
  assert.equal(programs.length, 1);
});
