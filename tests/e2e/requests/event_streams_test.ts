import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { AppProcess } from "../../support/app/app_process.ts";
import { EventStream } from "../../support/app/event_stream.ts";
import { LiveApp } from "../../support/app/live_app.ts";

const LOBBY = "/ws/chat/lobby";

test("an event stream passes the gate of a socket", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  const anonymous = app.browser();
  const cases = [
    [anonymous, LOBBY, {}, 401, "NOT_SIGNED_IN"],
    [ada, LOBBY, { origin: "https://evil.example" }, 403, "ORIGIN_NOT_ALLOWED"],
    [ada, "/ws/nothing", {}, 404, "NO_CONSUMER"],
    // It sends back messages of any kind, which events cannot carry.
    [ada, "/ws/echo", {}, 426, "UPGRADE_REQUIRED"],
    [ada, LOBBY, { accept: "application/json" }, 426, "UPGRADE_REQUIRED"],
    [ada, LOBBY, { upgrade: "websocket", accept: "*/*" }, 400, "BAD_HANDSHAKE"],
  ] as const;
  for (const [browser, path, headers, status, code] of cases) {
    const response = await EventStream.request(browser, path, headers);
    assert.deepEqual([response.status, (await response.json()).code], [status, code], path);
  }
  const withoutOrigin = await ada.request(LOBBY, {
    method: "POST",
    headers: { accept: "text/event-stream" },
  });
  assert.deepEqual([withoutOrigin.status, (await withoutOrigin.json()).code], [
    403,
    "ORIGIN_NOT_ALLOWED",
  ]);
});

test("an event stream carries a room: greeting, messages, replies", async () => {
  await using app = await LiveApp.start();
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  using socket = await app.open(LOBBY, grace);
  const stream = await EventStream.open(ada, LOBBY);
  await stream.frame("welcome");
  const say = { type: "say", data: { text: "line\nand \u2028 line" }, id: "1" };
  assert.equal((await stream.post([say, { type: "say", data: {}, id: "2" }])).status, 204);
  const said = await stream.frame("said");
  assert.equal((said.data as { text: string }).text, say.data.text);
  assert.deepEqual((await socket.frame("said")).data, said.data);
  await stream.close();
  const left = await socket.frame("left");
  assert.equal((left.data as { user: { login: string } }).user.login, "ada");
});

test("an event stream ends with its session within 1 s, and nothing follows", async () => {
  await using app = await LiveApp.start();
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  using socket = await app.open(LOBBY, grace);
  const stream = await EventStream.open(ada, LOBBY);
  await stream.frame("welcome");
  const cookies = new Map(ada.cookies);
  const started = performance.now();
  await ada.request("/auth/signout", { method: "POST", headers: { origin: app.origin } });
  socket.sendJson({ type: "say", data: { text: "after" }, id: "1" });
  assert.equal((await socket.frame("reply")).ok, true);
  const events = [];
  for (let event = await stream.next(); event; event = await stream.next()) events.push(event);
  assert.ok(performance.now() - started < 1_000);
  assert.doesNotMatch(JSON.stringify(events), /after/);
  assert.match(JSON.stringify(events.at(-1)), /"close","data":"4401 /);
  for (const [name, value] of cookies) ada.cookies.set(name, value);
  const posted = await stream.post([{ type: "say", data: { text: "again" } }]);
  assert.deepEqual([posted.status, (await posted.json()).code], [401, "NOT_SIGNED_IN"]);
});

test("a post reaches only event streams of the same session and path", async () => {
  await using app = await LiveApp.start();
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  const elsewhere = await app.signIn("ada");
  const stream = await EventStream.open(ada, LOBBY);
  await stream.frame("welcome");
  const say = [{ type: "say", data: { text: "forged" } }];
  // These know the id, and learn nothing from the answer.
  for (const other of [{ browser: grace }, { browser: elsewhere }, { path: "/ws/chat/other" }]) {
    assert.equal((await stream.post(say, other)).status, 204);
  }
  const [channel, secret] = stream.id.split("/");
  const wrong = `${channel}/${secret!.replace(/^./, (first) => first === "0" ? "1" : "0")}`;
  assert.equal((await stream.post(say, { id: wrong })).status, 204);
  for (const id of ["", "log", `log/${secret}`, `specific.${channel}/${secret}`, "\0", "é"]) {
    const response = await stream.post(say, { id });
    assert.deepEqual([response.status, (await response.json()).code], [426, "UPGRADE_REQUIRED"]);
  }
  const large = await stream.post([{ type: "say", data: { text: "x".repeat(600_000) } }]);
  assert.deepEqual([large.status, (await large.json()).code], [413, "BODY_TOO_LARGE"]);
  await stream.post([{ type: "say", data: { text: "mine" } }]);
  const said = await stream.frame("said");
  assert.equal((said.data as { text: string }).text, "mine");
  await stream.close();
});

test("an event stream counts as a socket, and its client can post at the limit", async () => {
  await using app = await LiveApp.start({ SOCKETS_PER_USER: "1" });
  const ada = await app.signIn("ada");
  const stream = await EventStream.open(ada, LOBBY);
  await stream.frame("welcome");
  const second = await EventStream.request(ada, LOBBY);
  assert.deepEqual([second.status, (await second.json()).code], [429, "TOO_MANY_SOCKETS"]);
  const say = { type: "say", data: { text: "within" }, id: "1" };
  assert.equal((await stream.post([say])).status, 204);
  assert.equal((await stream.frame("reply")).ok, true);
  await stream.close();
});

test("a page of an allowed origin uses tickets: one opens the stream, and each post has its own", async () => {
  const origin = "https://friend.example";
  await using app = await LiveApp.start({ ALLOWED_ORIGINS: origin });
  const ada = await app.signIn("ada");
  const ticket = async () => {
    const response = await ada.request("/api/tickets", {
      method: "POST",
      headers: { origin, "content-type": "application/json" },
      body: JSON.stringify({ path: LOBBY }),
    });
    return `Ticket ${(await response.json()).ticket}`;
  };
  const post = (authorization: string, accept: string, body: string) =>
    fetch(app.origin + LOBBY, {
      method: "POST",
      headers: { origin, authorization, accept, "content-type": "text/plain" },
      body,
    });
  const preflight = await fetch(app.origin + LOBBY, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /authorization/);
  const first = await ticket();
  const opened = await post(first, "text/event-stream", "");
  assert.equal(opened.headers.get("access-control-allow-origin"), origin);
  const reader = opened.body!.pipeThrough(new TextDecoderStream()).getReader();
  const [, id] = /^event: open\ndata: (\S+)\n\n/.exec((await reader.read()).value ?? "") ?? [];
  const say = `${id}\n${JSON.stringify({ type: "say", data: { text: "from elsewhere" } })}`;
  const again = await post(first, "*/*", say);
  assert.deepEqual([again.status, (await again.json()).code], [401, "TICKET_INVALID"]);
  assert.equal((await post(await ticket(), "*/*", say)).status, 204);
  let text = "";
  while (!text.includes("from elsewhere")) text += (await reader.read()).value!;
  await reader.cancel();
});

test("what a client posts to one process reaches its event stream in another", async () => {
  const directory = await Deno.makeTempDir();
  const env = { DENO_KV_PATH: join(directory, "kv.sqlite3"), CHANNEL_LAYER: "kv:" };
  await using first = await AppProcess.start(env);
  await using second = await AppProcess.start(env);
  const ada = await first.signIn("ada");
  const stream = await EventStream.open(ada, LOBBY);
  await stream.frame("welcome");
  const there = second.browser();
  for (const [name, value] of ada.cookies) there.cookies.set(name, value);
  for (let id = 1; id <= 5; id++) {
    const post = { type: "say", data: { text: `message ${id}` }, id: String(id) };
    assert.equal((await stream.post([post], { browser: there })).status, 204);
  }
  for (let id = 1; id <= 5; id++) {
    const said = await stream.frame("said");
    assert.equal((said.data as { text: string }).text, `message ${id}`);
  }
  await stream.close();
  await Deno.remove(directory, { recursive: true });
});
