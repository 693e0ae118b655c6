import { test } from "node:test";
import assert from "node:assert/strict";
import { MemoryUserStore, type User } from "@sluice/sluice/auth";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { LiveUsers } from "../../../lib/auth/users/live_users.ts";
import { FakeConnection } from "../../support/fake_connection.ts";

const ada: User = await new MemoryUserStore().save({
  provider: "dev",
  subject: "1",
  login: "ada",
  name: "Ada",
  avatarUrl: undefined,
});

/** A store whose reads a test answers. */
class HeldStore extends MemoryUserStore {
  readonly readings: PromiseWithResolvers<User | undefined>[] = [];

  override get(): Promise<User | undefined> {
    const reading = Promise.withResolvers<User | undefined>();
    this.readings.push(reading);
    return reading.promise;
  }
}

function setStage() {
  const users = new HeldStore();
  const scope = { connection: FakeConnection.open(), user: ada as User | undefined };
  return { users, scope, live: new LiveUsers(users) };
}

test("LiveUsers ignores a result that is older than the current one", async () => {
  const { users, scope, live } = setStage();
  const first = live.refresh(scope);
  await settle();
  const second = live.refresh(scope);
  users.readings[1]!.resolve({ ...ada, roles: [] });
  await second;
  users.readings[0]!.resolve({ ...ada, roles: ["moderator"] });
  await first;
  assert.deepEqual(scope.user?.roles, []);
});

test("LiveUsers does not end a connection because of an outdated result", async () => {
  const { users, scope, live } = setStage();
  const first = live.refresh(scope);
  await settle();
  const second = live.refresh(scope);
  users.readings[1]!.resolve({ ...ada, name: "Ada, unbanned" });
  await second;
  users.readings[0]!.resolve({ ...ada, bannedAt: 1 } as User);
  await first;
  assert.equal(scope.connection.phase, "open");
  assert.equal(scope.user?.name, "Ada, unbanned");
});

test("LiveUsers retries a second after a failure, and leaves no listener behind", async () => {
  const clock = new FakeClock();
  const { users, scope } = setStage();
  const live = new LiveUsers(users, clock);
  for (let n = 0; n < 3; n++) {
    const refreshed = n === 0 ? live.refresh(scope) : settle();
    users.readings[n]!.reject(new Error("the database is away"));
    await refreshed;
    await settle();
    await clock.advance(1_000);
  }
  users.readings[3]!.resolve({ ...ada, name: "Ada L." });
  await settle();
  assert.equal(scope.user?.name, "Ada L.");
  assert.equal(clock.pending, 0);
});

test("LiveUsers applies results in the order of the reads", async () => {
  const { users, scope, live } = setStage();
  const first = live.refresh(scope);
  await settle();
  const second = live.refresh(scope);
  users.readings[0]!.resolve({ ...ada, roles: ["moderator"] });
  await first;
  assert.deepEqual(scope.user?.roles, ["moderator"]);
  users.readings[1]!.resolve({ ...ada, roles: [] });
  await second;
  assert.deepEqual(scope.user?.roles, []);
});
