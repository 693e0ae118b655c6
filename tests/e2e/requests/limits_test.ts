import { test } from "node:test";
import assert from "node:assert/strict";
import { TestApp } from "../../support/app/test_app.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import type { Refused } from "../../support/app/ws_client.ts";

/** Waits for a refusal with a code, 429 and `Retry-After`. */
async function assertLimited(attempt: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(attempt, (refused: Refused) => {
    assert.deepEqual([refused.status, refused.code], [429, code]);
    assert.ok(Number(refused.headers["retry-after"]) > 0);
    return true;
  });
}

test("an address that opens sockets too often is refused with 429 before any database read", async () => {
  await using app = await LiveApp.start({ HANDSHAKES_PER_ADDRESS: "3" });
  const ada = await app.signIn("ada");
  for (let n = 0; n < 3; n++) {
    using _socket = await app.open("/ws/echo", ada);
  }
  await assertLimited(app.open("/ws/echo", ada), "TOO_MANY_ATTEMPTS");
  await assertLimited(app.open("/ws/echo", app.app.browser()), "TOO_MANY_ATTEMPTS");
});

test("an address is limited in its sockets, over all users", async () => {
  await using app = await LiveApp.start({ SOCKETS_PER_ADDRESS: "2" });
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  using _first = await app.open("/ws/echo", ada);
  const second = await app.open("/ws/echo", grace);
  await assertLimited(app.open("/ws/echo", grace), "TOO_MANY_SOCKETS");
  const ended = Promise.withResolvers<void>();
  second.socket.on("close", () => ended.resolve());
  await grace.request("/auth/signout", { method: "POST" });
  await ended.promise;
  using _third = await app.open("/ws/echo", ada);
});

test("a user who opens 50 sockets at once gets exactly the limit", async () => {
  await using app = await LiveApp.start({ SOCKETS_PER_USER: "7" });
  const ada = await app.signIn("ada");
  const attempts = Array.from({ length: 50 }, () => app.open("/ws/echo", ada));
  const results = await Promise.allSettled(attempts);
  const opened = results.filter((result) => result.status === "fulfilled");
  assert.equal(opened.length, 7);
  for (const { value } of opened) value[Symbol.dispose]();
});

test("an address that signs in too often gets a page with 429, and no sign-in starts", async () => {
  await using app = await TestApp.create({ SIGN_INS_PER_ADDRESS: "2" });
  const browser = app.browser();
  const statuses: number[] = [];
  let last = new Response();
  for (let n = 0; n < 4; n++) {
    last = await browser.request("/auth/signin?provider=dev&login_hint=ada");
    statuses.push(last.status);
    if (n < 3) await last.body?.cancel();
  }
  assert.deepEqual(statuses, [302, 302, 429, 429]);
  assert.ok(Number(last.headers.get("retry-after")) > 0);
  assert.match(await last.text(), /Too many attempts/);
});

test("a sign-in beyond the limit ends the user's least recently used session", async () => {
  await using app = await TestApp.create({ SESSIONS_PER_USER: "2" });
  const [first, second, third, other] = Array.from({ length: 4 }, () => app.browser());
  await other!.signIn("grace");
  for (const browser of [first, second, third]) await browser!.signIn("ada");
  const statuses = await Promise.all(
    [first, second, third, other].map(async (browser) => {
      const response = await browser!.request("/api/me");
      await response.body?.cancel();
      return response.status;
    }),
  );
  assert.deepEqual(statuses, [401, 200, 200, 200]);
});
