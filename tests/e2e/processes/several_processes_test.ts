import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { GitHubDouble } from "../../support/auth/github_double.ts";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import type { WsClient } from "../../support/app/ws_client.ts";

before(buildApp);

function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return String(listener.addr.port);
}

test("several processes on one port act as one app: messages, sign-outs and shutdown", {
  skip: Deno.build.os === "linux" ? false : "ports are shared so on Linux alone",
}, async () => {
  const directory = await Deno.makeTempDir();
  const port = freePort();
  await using gitHub = await GitHubDouble.start({
    callback: `http://127.0.0.1:${port}/auth/callback/github`,
  });
  await using app = await AppProcess.start(
    {
      PORT: port,
      DENO_KV_PATH: join(directory, "kv.sqlite3"),
      CHANNEL_LAYER: "kv:",
      DRAIN_SECONDS: "1",
      GITHUB_CLIENT_ID: gitHub.app.clientId,
      GITHUB_CLIENT_SECRET: gitHub.app.clientSecret,
      GITHUB_URL: gitHub.url,
      GITHUB_API_URL: gitHub.url,
    },
    "serve",
    ["--processes", "2"],
  );
  const signIn = async (id: number) => {
    gitHub.user = { ...gitHub.user, id, login: `user${id}` };
    const browser = app.browser();
    const response = await browser.visit("/auth/signin?return_to=/api/me");
    assert.equal(response.status, 200);
    return browser;
  };
  const [ada, grace] = [await signIn(1), await signIn(2)];
  const listeners: WsClient[] = [];
  for (let count = 0; count < 12; count++) {
    const socket = await app.open("/ws/chat/lobby", grace);
    await socket.frame("welcome");
    listeners.push(socket);
  }
  const speaker = await app.open("/ws/chat/lobby", ada);
  await speaker.frame("welcome");
  speaker.sendJson({ type: "say", data: { text: "hello, processes" }, id: "1" });
  assert.equal((await speaker.frame("reply")).ok, true);
  for (const listener of listeners) {
    const said = await listener.frame("said");
    assert.equal((said.data as { text: string }).text, "hello, processes");
  }

  await grace.request("/auth/signout", { method: "POST", headers: { origin: app.origin } });
  for (const listener of listeners) assert.equal((await listener.closed).code, 4401);

  app.signal("SIGTERM");
  assert.equal((await speaker.closed).code, 1012);
  assert.equal((await app.ended()).code, 0);
  await Deno.remove(directory, { recursive: true });
});

const ONE_ONLY: [what: string, env: Record<string, string>, names: string][] = [
  ["the memory layer", { CHANNEL_LAYER: "memory:" }, "CHANNEL_LAYER"],
  ["a database in memory", { CHANNEL_LAYER: "kv:", DENO_KV_PATH: ":memory:" }, "DENO_KV_PATH"],
  ["a port that is not named", { CHANNEL_LAYER: "kv:", PORT: "0" }, "PORT"],
];
for (const [what, env, name] of ONE_ONLY) {
  test(`serve --processes refuses ${what} with one sentence that names ${name}`, async () => {
    const { code, stderr } = await AppProcess.spawn(env, "serve", ["--processes", "2"]).ended();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^${name} [^\\n]*\\.\\n$`));
  });
}
