import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchError, stream } from "@durable-streams/client";
import { LiveApp } from "../../support/app/live_app.ts";

const ROOM = "/streams/chat/lobby";

/** Sends a request as a page of the site, with the cookies of a browser. */
async function send(
  app: LiveApp,
  login: string | undefined,
  path: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
) {
  const browser = login === undefined ? app.browser() : await app.signIn(login);
  const headers = { origin: app.origin, ...init.headers };
  return { browser, response: await browser.request(path, { ...init, headers }) };
}

test("the history of a room is behind the same gate as its socket", async () => {
  await using app = await LiveApp.start();
  const refusals = [
    [undefined, ROOM, {}, 401, "NOT_SIGNED_IN"],
    ["ada", ROOM, { origin: "https://evil.example" }, 403, "ORIGIN_NOT_ALLOWED"],
    ["ada", "/streams/chat/no%20room", {}, 404, "NO_CONSUMER"],
    ["ada", "/streams/nothing", {}, 404, "NO_CONSUMER"],
  ] as const;
  for (const [login, path, headers, status, code] of refusals) {
    const { response } = await send(app, login, path, { headers });
    assert.equal(response.status, status, path);
    assert.equal((await response.json()).code, code);
  }
  const { response } = await send(app, "ada", ROOM, { method: "PUT" });
  assert.equal(response.status, 405);
  const posted = await send(app, "ada", ROOM, {
    method: "POST",
    headers: { origin: "https://evil.example", "content-type": "application/json" },
    body: '{"type":"say","data":{"text":"Hello"}}',
  });
  assert.deepEqual(
    [posted.response.status, (await posted.response.json()).code],
    [403, "ORIGIN_NOT_ALLOWED"],
  );
});

test("a message that was posted is read over HTTP and on sockets, once per key", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  using socket = await app.open("/ws/chat/lobby", ada);
  await socket.frame("welcome");
  const post = () =>
    ada.request(ROOM, {
      method: "POST",
      headers: {
        origin: app.origin,
        "content-type": "application/json",
        "idempotency-key": "k-1",
      },
      body: JSON.stringify({ type: "say", data: { text: "Hello" } }),
    });
  const [first, second] = [await post(), await post()];
  assert.deepEqual([first.status, second.status], [200, 200]);
  const { id } = await first.json();
  assert.deepEqual(await second.json(), { id });
  const said = await socket.frame("said");
  assert.equal((said.data as { id: string }).id, id);
  const read = await ada.request(`${ROOM}?offset=-1`, { headers: { origin: app.origin } });
  const messages = await read.json();
  assert.deepEqual(messages.map(({ data }: { data: { id: string } }) => data.id), [id]);
});

test("a sign-out ends live reads of its session within a second, and no others", async () => {
  await using app = await LiveApp.start();
  const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
  const read = async (browser: typeof ada, live: string) => {
    const headers = { origin: app.origin };
    return await browser.request(`${ROOM}?offset=now&live=${live}`, { headers });
  };
  const poll = read(ada, "long-poll");
  const events = await read(ada, "sse");
  const others = await read(grace, "sse");
  const [mine, hers] = [events.body!.getReader(), others.body!.getReader()];
  await Promise.all([mine.read(), hers.read()]);
  const startedAt = performance.now();
  await ada.request("/auth/signout", { method: "POST", headers: { origin: app.origin } });
  await assert.rejects(mine.read());
  assert.equal((await poll).status, 401);
  assert.ok(performance.now() - startedAt < 1_000);
  const next = hers.read();
  const text = JSON.stringify({ type: "say", data: { text: "still here" } });
  await grace.request(ROOM, {
    method: "POST",
    headers: { origin: app.origin, "content-type": "application/json" },
    body: text,
  });
  assert.match(new TextDecoder().decode((await next).value), /still here/);
  await hers.cancel();
});

test("waiting reads count as sockets of their user", async () => {
  await using app = await LiveApp.start({ SOCKETS_PER_USER: "2" });
  const ada = await app.signIn("ada");
  const stop = new AbortController();
  const wait = (signal?: AbortSignal) => {
    const headers = { origin: app.origin };
    return ada.request(`${ROOM}?offset=now&live=sse`, { headers, signal });
  };
  const [one, two] = [await wait(stop.signal), await wait(stop.signal)];
  assert.deepEqual([one.status, two.status], [200, 200]);
  const third = await wait();
  assert.deepEqual([third.status, (await third.json()).code], [429, "TOO_MANY_SOCKETS"]);
  assert.ok(Number(third.headers.get("retry-after")) > 0);
  stop.abort();
});

for (const live of ["long-poll", "sse"] as const) {
  test(`the client of Durable Streams reads a room with ${live} until the sign-out`, async () => {
    await using app = await LiveApp.start();
    const [ada, grace] = [await app.signIn("ada"), await app.signIn("grace")];
    const say = async (text: string) => {
      const headers = { origin: app.origin, "content-type": "application/json" };
      const body = JSON.stringify({ type: "say", data: { text } });
      await (await grace.request(ROOM, { method: "POST", headers, body })).body?.cancel();
    };
    await say("before");
    const ended = Promise.withResolvers<unknown>();
    const reading = await stream<{ data: { text: string } }>({
      url: `${app.origin}${ROOM}`,
      offset: "-1",
      live,
      fetch: async (url, init) => {
        const { pathname, search } = new URL(String(url));
        return await ada.request(pathname + search, {
          ...init,
          headers: { ...Object.fromEntries(new Headers(init?.headers)), origin: app.origin },
        });
      },
      onError: (error) => ended.resolve(error),
    });
    const heard: string[] = [];
    const heardLive = Promise.withResolvers<void>();
    reading.subscribeJson(({ items }) => {
      heard.push(...items.map(({ data }) => data.text));
      if (heard.length === 2) heardLive.resolve();
    });
    reading.closed.then(ended.resolve, ended.resolve);
    await say("live");
    await heardLive.promise;
    const startedAt = performance.now();
    await ada.request("/auth/signout", { method: "POST", headers: { origin: app.origin } });
    const error = await ended.promise;
    assert.ok(performance.now() - startedAt < 1_000);
    // The connection of server-sent events is cut; a long-poll is answered.
    const isExpected = live === "sse"
      ? error instanceof TypeError
      : error instanceof FetchError && error.status === 401;
    assert.ok(isExpected, String(error));
    await say("after");
    assert.deepEqual(heard, ["before", "live"]);
  });
}

test("two deployments on one database with their own CHANNEL_PREFIX have separate rooms", async () => {
  const folder = await Deno.makeTempDir();
  const settings = { DATABASE_URL: `sqlite:${folder}/app.sqlite3` };
  try {
    await using a = await LiveApp.start({ ...settings, CHANNEL_PREFIX: "a" });
    await using b = await LiveApp.start({ ...settings, CHANNEL_PREFIX: "b" });
    const { response: posted } = await send(a, "ada", ROOM, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"type":"say","data":{"text":"Hello"}}',
    });
    assert.equal(posted.status, 200);
    for (const [app, count] of [[a, 1], [b, 0]] as const) {
      const { response } = await send(app, "grace", `${ROOM}?offset=-1`);
      assert.equal((await response.json()).length, count);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("without its layer, a room stores commands and shows its history; live reads and sockets are 503", async () => {
  await using app = await LiveApp.start({ CHANNEL_LAYER: "redis://127.0.0.1:1" });
  const browser = await app.signIn("ada");
  const headers = { origin: app.origin, "content-type": "application/json" };
  const body = '{"type":"say","data":{"text":"Hello"}}';
  const posted = await browser.request(ROOM, { method: "POST", headers, body });
  assert.equal(posted.status, 200, await posted.text());
  const read = await browser.request(ROOM, { headers });
  assert.equal((await read.json()).length, 1);
  const head = await browser.request(ROOM, { method: "HEAD", headers });
  assert.equal(head.status, 200);
  const refused = [
    `${ROOM}?offset=-1&live=sse`,
    `${ROOM}?offset=-1&live=long-poll`,
    "/ws/chat/lobby",
  ];
  for (const path of refused) {
    const response = await browser.request(path, { headers });
    assert.deepEqual([response.status, (await response.json()).code], [503, "UNAVAILABLE"], path);
    assert.equal(response.headers.get("retry-after"), "1");
  }
  const echo = await browser.request("/ws/echo", { headers });
  assert.equal(echo.status, 426, await echo.text());
});
