import { test } from "node:test";
import assert from "node:assert/strict";
import { LiveApp } from "../../support/app/live_app.ts";
import type { Refused } from "../../support/app/ws_client.ts";

interface Member {
  readonly id: string;
  readonly login: string;
}

const loginsOf = (people: unknown) => (people as Member[]).map(({ login }) => login);

test("two users talk in a room: welcome, joined, said with its reply, left", async () => {
  await using app = await LiveApp.start();
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  using a = await app.open("/ws/chat/lobby", ada);
  const welcome = await a.frame("welcome");
  const { you, people } = welcome.data as { you: Member; people: Member[] };
  assert.equal(you.login, "ada");
  assert.deepEqual(loginsOf(people), ["ada"]);

  const b = await app.open("/ws/chat/lobby", grace);
  assert.deepEqual(loginsOf((await b.frame("welcome")).data!["people" as never]), ["ada", "grace"]);
  assert.equal(((await a.frame("joined")).data as { user: Member }).user.login, "grace");

  b.sendJson({ type: "say", data: { text: "<b>hi</b>" }, id: "1" });
  const reply = await b.frame("reply");
  const said = (await a.frame("said")).data as {
    id: string;
    text: string;
    user: Member;
    at: string;
  };
  assert.equal(reply.ok, true);
  assert.deepEqual(reply.data, { id: said.id });
  assert.equal(said.text, "<b>hi</b>");
  assert.deepEqual(Object.keys(said.user).sort(), ["avatarUrl", "id", "login", "name"]);
  assert.ok(!Number.isNaN(Date.parse(said.at)));
  assert.equal(((await b.frame("said")).data as { id: string }).id, said.id);

  b[Symbol.dispose]();
  assert.equal(((await a.frame("left")).data as { user: Member }).user.login, "grace");
});

test("a user joins and leaves once with any number of tabs", async () => {
  await using app = await LiveApp.start();
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  using watcher = await app.open("/ws/chat/lobby", ada);
  await watcher.frame("welcome");
  const tabs = [await app.open("/ws/chat/lobby", grace), await app.open("/ws/chat/lobby", grace)];
  for (const tab of tabs) await tab.frame("welcome");
  tabs[0]!.socket.terminate();
  tabs[1]!.sendJson({ type: "say", data: { text: "still here" } });
  assert.equal((await watcher.next()).text.includes('"joined"'), true);
  assert.equal((await watcher.next()).text.includes('"said"'), true);
  tabs[1]!.socket.terminate();
  assert.equal((await watcher.next()).text.includes('"left"'), true);
  assert.equal(watcher.waiting, 0);
});

test("rooms do not receive each other's messages", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  using here = await app.open("/ws/chat/here", ada);
  using there = await app.open("/ws/chat/there", ada);
  await here.frame("welcome");
  await there.frame("welcome");
  here.sendJson({ type: "say", data: { text: "psst" }, id: "1" });
  await here.frame("reply");
  there.sendJson({ type: "say", data: { text: "own" } });
  const said = await there.frame("said");
  assert.equal((said.data as { text: string }).text, "own");
});

test("a text has 1 to 2000 characters", async () => {
  await using app = await LiveApp.start();
  using ada = await app.open("/ws/chat/lobby", await app.signIn("ada"));
  await ada.frame("welcome");
  for (const [text, ok] of [["", false], ["x".repeat(2000), true], ["x".repeat(2001), false]]) {
    ada.sendJson({ type: "say", data: { text }, id: "1" });
    const reply = await ada.frame("reply");
    assert.equal(reply.ok, ok);
    if (!ok) {
      const { code, issues } = reply.error as { code: string; issues: { path: string }[] };
      assert.equal(code, "INVALID_MESSAGE");
      assert.equal(issues[0]!.path, "data.text");
    }
  }
});

test("signing out in one tab closes all sockets of its session with 4401, and no others", async () => {
  await using app = await LiveApp.start();
  const [here, there] = [await app.signIn("ada"), await app.signIn("ada")];
  const sockets = [
    await app.open("/ws/chat/lobby", here),
    await app.open("/ws/chat/other", here),
    await app.open("/ws/echo", here),
  ];
  using kept = await app.open("/ws/echo", there);
  await here.request("/auth/signout", { method: "POST", headers: { origin: app.origin } });
  for (const socket of sockets) assert.equal((await socket.closed).code, 4401);
  kept.send("still here");
  assert.equal((await kept.next()).text, "still here");
});

test("revoking a session from another one closes its sockets and updates the list", async () => {
  await using app = await LiveApp.start();
  const [here, there] = [await app.signIn("ada"), await app.signIn("ada")];
  const socket = await app.open("/ws/echo", there);
  const sessions = await (await here.request("/api/sessions")).json() as {
    id: string;
    current: boolean;
    sockets: number;
  }[];
  const other = sessions.find(({ current }) => !current)!;
  assert.equal(other.sockets, 1);
  await here.request(`/api/sessions/${other.id}`, { method: "DELETE" });
  assert.equal((await socket.closed).code, 4401);
});

type Attempt = (app: LiveApp) => Promise<unknown>;
const REFUSALS: [code: string, status: number, attempt: Attempt][] = [
  [
    "ORIGIN_NOT_ALLOWED",
    403,
    async (app) =>
      app.open("/ws/echo", await app.signIn("ada"), {
        headers: { origin: "https://evil.example" },
      }),
  ],
  ["NOT_SIGNED_IN", 401, (app) => app.open("/ws/echo", app.app.browser())],
  ["NOT_SIGNED_IN", 401, (app) => {
    const browser = app.app.browser();
    browser.cookies.set("session", "garbage");
    return app.open("/ws/echo", browser);
  }],
  [
    "TICKET_INVALID",
    401,
    (app) =>
      app.open("/ws/echo", app.app.browser(), { protocols: ["sluice.v1", "sluice.ticket.x"] }),
  ],
  ["NO_CONSUMER", 404, async (app) => app.open("/ws/nothing", await app.signIn("ada"))],
  ["NO_CONSUMER", 404, async (app) => app.open("/ws/chat/a%20b", await app.signIn("ada"))],
  [
    "NO_CONSUMER",
    404,
    async (app) => app.open(`/ws/chat/${"x".repeat(65)}`, await app.signIn("ada")),
  ],
  ["NOT_SIGNED_IN", 401, (app) => app.open("/ws/nothing", app.app.browser())],
];
for (const [code, status, attempt] of REFUSALS) {
  test(`${code} is refused with ${status} before the 101`, async () => {
    await using app = await LiveApp.start();
    await assert.rejects(attempt(app), (refused: Refused) => {
      assert.deepEqual([refused.status, refused.code], [status, code]);
      assert.equal(refused.headers["content-type"], "application/problem+json");
      return true;
    });
  });
}

test("the 3rd socket of a user with a limit of 2 is refused with 429 until one closes", async () => {
  await using app = await LiveApp.start({ SOCKETS_PER_USER: "2" });
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  const first = await app.open("/ws/echo", ada);
  using _second = await app.open("/ws/echo", ada);
  await assert.rejects(app.open("/ws/echo", ada), (refused: Refused) => {
    assert.equal(refused.code, "TOO_MANY_SOCKETS");
    assert.ok(Number(refused.headers["retry-after"]) > 0);
    return true;
  });
  using _other = await app.open("/ws/echo", grace);
  using observer = await app.open("/ws/chat/x", grace);
  await observer.frame("welcome");
  first.socket.close();
  await first.closed;
  using _again = await app.open("/ws/echo", ada);
});

test("a draining server refuses sockets with 503 and Retry-After, and closes open ones with 1012", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  const socket = await app.open("/ws/echo", ada);
  const drained = app.app.services.realtime.drain(1);
  await assert.rejects(app.open("/ws/echo", ada), (refused: Refused) => {
    assert.deepEqual([refused.status, refused.code], [503, "DRAINING"]);
    assert.ok(Number(refused.headers["retry-after"]) > 0);
    return true;
  });
  assert.equal((await socket.closed).code, 1012);
  await drained;
  assert.equal((await ada.request("/readyz")).status, 503);
});

test("10,000 messages on one socket return in order", async () => {
  await using app = await LiveApp.start({
    MESSAGES_PER_SECOND: "1000000",
    MESSAGE_BURST: "100000",
  });
  using socket = await app.open("/ws/echo", await app.signIn("ada"));
  for (let count = 0; count < 10_000; count++) socket.send(String(count));
  for (let count = 0; count < 10_000; count++) {
    assert.equal((await socket.next()).text, String(count));
  }
});
