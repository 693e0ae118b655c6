import assert from "node:assert/strict";
import type { ProviderProfile, UserStore } from "../../auth/mod.ts";
import type { FakeClock } from "../fake_clock.ts";
import type { SuiteOptions } from "../bed.ts";
import { defineStoreTests } from "./define_store_tests.ts";

/**
 * Defines the tests that every {@linkcode UserStore} passes, with `node:test`. `create` returns an empty
 * store, which uses the clock for its own times.
 *
 * @example
 * ```ts ignore
 * import { MemoryUserStore } from "@sluice/sluice/auth";
 * import { testUserStore } from "@sluice/sluice/testing";
 *
 * testUserStore("MemoryUserStore", (clock) => new MemoryUserStore({ clock }));
 * ```
 */
export function testUserStore(
  name: string,
  create: (clock: FakeClock) => UserStore | Promise<UserStore>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("save() creates a user with an id of our own", async (store, clock) => {
    const user = await store.save(profile());
    assert.match(user.id, /^[A-Za-z0-9_-]{16}$/);
    assert.deepEqual(user, {
      ...profile(),
      id: user.id,
      createdAt: clock.now(),
      updatedAt: clock.now(),
    });
    assert.deepEqual(await store.get(user.id), user);
  });

  it("save() updates login, name and picture, and keeps the id", async (store, clock) => {
    const first = await store.save(profile());
    await clock.advance(5);
    const renamed = { login: "countess", name: "Ada King", avatarUrl: "https://a.example/2" };
    const second = await store.save(profile(renamed));
    assert.deepEqual(second, { ...first, ...renamed, updatedAt: clock.now() });
    assert.deepEqual(await store.get(first.id), second);
  });

  it("update() changes a user, one change after the other, and save() keeps it", async (store) => {
    const { id } = await store.save(profile());
    await Promise.all(
      ["a", "b", "c", "d"].map((role) =>
        store.update(id, (user) => ({ ...user, roles: [...user.roles ?? [], role] }))
      ),
    );
    assert.deepEqual([...(await store.get(id))!.roles!].sort(), ["a", "b", "c", "d"]);
    assert.equal((await store.save(profile({ name: "Ada King" }))).roles?.length, 4);
  });

  it("update() returns undefined for an unknown user, and creates none", async (store) => {
    assert.equal(await store.update("nobody", (user) => user), undefined);
    assert.equal(await store.get("nobody"), undefined);
  });

  it("save() identifies users by provider and subject, never by login", async (store) => {
    const ada = await store.save(profile());
    const sameLogin = await store.save(profile({ subject: "2" }));
    const sameSubject = await store.save(profile({ provider: "oidc" }));
    assert.equal(new Set([ada.id, sameLogin.id, sameSubject.id]).size, 3);
  });

  it("save() creates one user for several concurrent first sign-ins", async (store) => {
    const users = await Promise.all(Array.from({ length: 8 }, () => store.save(profile())));
    assert.equal(new Set(users.map((user) => user.id)).size, 1);
    assert.equal((await store.get(users[0]!.id))?.subject, "1");
  });

  it("save() cleans and cuts text that is shown to others", async (store) => {
    const user = await store.save(profile({
      login: `\u202eada\u0000\n${"x".repeat(500)}`,
      name: "  Ada \r\n\t <b>Lovelace</b>\u200b  ",
    }));
    assert.match(user.login, /^ada x+$/);
    assert.equal(user.login.length, 64);
    assert.equal(user.name, "Ada <b>Lovelace</b>");
  });

  it("save() uses the login for a missing name", async (store) => {
    assert.equal((await store.save(profile({ name: undefined }))).name, "ada");
    assert.equal((await store.save(profile({ name: " \u0000 " }))).name, "ada");
  });

  it("save() keeps https pictures only", async (store) => {
    const refused = [
      "javascript:alert(1)",
      "data:image/svg+xml,<svg/>",
      "http://a.example/1",
      "//a.example/1",
      "/avatar.png",
      "https://user:secret@a.example/1",
      "https://",
      `https://a.example/${"x".repeat(3000)}`,
      `https://a.example/${"\u00fc".repeat(2_000)}`,
    ];
    for (const avatarUrl of refused) {
      assert.equal((await store.save(profile({ avatarUrl }))).avatarUrl, "", avatarUrl);
    }
    const longest = `https://a.example/${"%C3%BC".repeat(338)}xx`;
    const avatarUrl = decodeURI(longest);
    assert.equal(longest.length, 2_048);
    assert.equal((await store.save(profile({ avatarUrl }))).avatarUrl, longest);
    const longer = profile({ avatarUrl: `${avatarUrl}x` });
    assert.equal((await store.save(longer)).avatarUrl, "");
  });

  it("save() treats an invisible name as missing", async (store) => {
    for (const nothing of ["\u3164", "\u2800\u00ad", "\u0301".repeat(100), "\ud800", undefined]) {
      const subject = JSON.stringify(nothing) ?? "none";
      const user = await store.save(profile({ subject, login: nothing, name: nothing }));
      assert.deepEqual([user.login, user.name], ["somebody", "somebody"], subject);
      assert.equal((await store.save(profile({ subject, name: nothing }))).name, "ada");
      assert.equal((await store.save(profile({ subject, login: nothing }))).login, "ada");
    }
    const user = await store.save(profile({ login: "ad\u00ada", name: "A\u030ada" }));
    assert.deepEqual([user.login, user.name], ["ada", "\u00c5da"]);
  });

  it("save() refuses a subject that is empty or too long", async (store) => {
    await assert.rejects(store.save(profile({ subject: "" })), RangeError);
    await assert.rejects(store.save(profile({ subject: "x".repeat(256) })), RangeError);
    await assert.rejects(store.save(profile({ subject: "x\ud800" })), RangeError);
    await assert.rejects(store.save(profile({ provider: "" })), RangeError);
  });

  it("save() does not change a banned user", async (store, clock) => {
    const { id } = await store.save(profile());
    const banned = await store.update(id, (user) => ({ ...user, bannedAt: 1_000 }));
    await clock.advance(5);
    assert.deepEqual(await store.save(profile({ login: "countess" })), banned);
    assert.deepEqual(await store.get(id), banned);
  });

  it("save() limits issuer and subject separately", async (store) => {
    const issuer = `https://id.example/${"r".repeat(900)}`;
    const subjects = [`${issuer} ${"x".repeat(255)}`, `${issuer}/ ${"x".repeat(255)}`];
    const users = await Promise.all(subjects.map((subject) => store.save(profile({ subject }))));
    assert.notEqual(users[0]!.id, users[1]!.id);
    assert.equal((await store.save(profile({ subject: subjects[0]! }))).id, users[0]!.id);
    for (const subject of [`${issuer} ${"x".repeat(256)}`, `${issuer} `, `${issuer.repeat(2)} x`]) {
      await assert.rejects(store.save(profile({ subject })), RangeError);
    }
  });

  it("get() returns undefined for an unknown id", async (store) => {
    assert.equal(await store.get("nobody"), undefined);
  });

  it("list() returns every user once over its pages, and where the next page begins", async (store) => {
    const saved = await Promise.all(
      Array.from({ length: 23 }, (_, n) => store.save(profile({ subject: `${n}` }))),
    );
    const listed: string[] = [];
    const sizes: number[] = [];
    for (let after: string | undefined, isFirst = true; isFirst || after !== undefined;) {
      const { users, next } = await store.list({ after, limit: 10 });
      listed.push(...users.map(({ id }) => id));
      sizes.push(users.length);
      [after, isFirst] = [next, false];
    }
    assert.deepEqual(sizes, [10, 10, 3]);
    assert.deepEqual(listed, saved.map(({ id }) => id).sort());
    assert.equal((await store.list()).next, undefined);
  });

  it("list() finds users by a part of their login, in any case", async (store) => {
    for (const [n, login] of ["ada", "Adamantine", "grace", "nevada", "linus"].entries()) {
      await store.save(profile({ subject: `${n}`, login }));
    }
    const find = async (login: string, limit?: number) =>
      (await store.list({ login, limit })).users.map((user) => user.login).sort();
    assert.deepEqual(await find("ADA"), ["Adamantine", "ada", "nevada"]);
    assert.deepEqual(await find("nobody"), []);
    assert.equal((await find("ada", 2)).length, 2);
    assert.equal((await store.list({ login: "ada", limit: 3 })).next, undefined);
  });

  it("list() reads no more users than its limit, and continues after that", async (store) => {
    const logins = Array.from({ length: 2_001 }, (_, n) => `${n}`);
    await Promise.all(logins.map((login) => store.save(profile({ subject: login, login }))));
    const first = await store.list({ login: "nobody" });
    assert.equal(first.users.length, 0);
    assert.deepEqual(await store.list({ login: "nobody", after: first.next }), {
      users: [],
      next: undefined,
    });
    assert.notEqual(first.next, undefined);
  });

  it("remove() removes a user once, and the next sign-in creates another", async (store) => {
    const first = await store.save(profile());
    assert.equal(await store.remove(first.id), true);
    assert.equal(await store.remove(first.id), false);
    assert.equal(await store.get(first.id), undefined);
    assert.notEqual((await store.save(profile())).id, first.id);
  });
}

/** Returns a profile with the given changes. */
export function profile(differences: Partial<ProviderProfile> = {}): ProviderProfile {
  return {
    provider: "dev",
    subject: "1",
    login: "ada",
    name: "Ada Lovelace",
    avatarUrl: "https://a.example/1",
    ...differences,
  };
}
