import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { HttpBrowser } from "../../support/app/http_browser.ts";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import { LiveApp } from "../../support/app/live_app.ts";

before(buildApp);

function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return String(listener.addr.port);
}

const STEPS = [
  "/auth/signin?provider=dev&login_hint=ada",
  "/auth/signin",
  "/auth/callback/dev?code=c&state=s",
  "/auth/dev/.well-known/openid-configuration",
  "/auth/dev/auth?client_id=sluice",
  "/auth/dev/nothing",
];

const PASSED_ON: Record<string, string>[] = [
  { "X-Forwarded-For": "203.0.113.9" },
  { "X-Forwarded-For": "127.0.0.1" },
  { "X-Forwarded-Host": "127.0.0.1" },
  { "X-Real-IP": "127.0.0.1" },
  { "Forwarded": "for=127.0.0.1" },
  { "Via": "1.1 tunnel" },
  { "CF-Connecting-IP": "127.0.0.1" },
  { "True-Client-IP": "127.0.0.1" },
];

test("development sign-in answers 403 to a forwarded request, with and without TRUST_PROXY", async () => {
  for (const env of [{}, { TRUST_PROXY: "on" }]) {
    await using app = await LiveApp.start(env);
    for (const headers of PASSED_ON) {
      for (const path of STEPS) {
        const response = await fetch(app.origin + path, { headers, redirect: "manual" });
        await response.body?.cancel();
        assert.equal(response.status, 403, `${path} with ${Object.keys(headers)}`);
      }
    }
    await app.signIn("ada");
  }
});

test("a development sign-in that started locally cannot be finished through a proxy", async () => {
  await using app = await LiveApp.start();
  const browser = app.browser();
  let response = await browser.request("/auth/signin?provider=dev&login_hint=ada");
  while (!response.headers.get("location")!.startsWith(`${app.origin}/auth/callback/dev`)) {
    await response.body?.cancel();
    response = await browser.request(response.headers.get("location")!);
  }
  const callback = response.headers.get("location")!;
  const headers = { "x-forwarded-for": "203.0.113.9" };
  const refused = await browser.request(callback, { headers });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /works only on this machine/);
  assert.equal(browser.cookies.has("session"), false);
  assert.equal((await browser.request(callback)).status, 303);
});

test("development sign-in answers 403 to a peer without a loopback address", async () => {
  await using app = await LiveApp.start();
  for (const hostname of ["192.168.1.7", "::ffff:10.0.0.1", "2001:db8::1"]) {
    for (const path of STEPS) {
      const remoteAddr = { transport: "tcp", hostname, port: 1 } as const;
      const info = { remoteAddr, completed: Promise.resolve() };
      const response = await app.app.handle(new Request(app.app.origin + path), info);
      await response.body?.cancel();
      assert.equal(response.status, 403, path);
    }
  }
});

test("serve --processes 2 starts with development sign-in, and each sign-in succeeds", {
  skip: Deno.build.os === "linux" ? false : "ports are shared so on Linux alone",
}, async () => {
  const directory = await Deno.makeTempDir();
  {
    const env = { PORT: freePort(), DENO_KV_PATH: join(directory, "kv.sqlite3") };
    await using app = await AppProcess.start(env, "serve", ["--processes", "2"]);
    await app.listening(2);
    // Each request uses its own connection, which any process may receive.
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const signIn = (login: string) =>
      new HttpBrowser((request) => fetch(request, { client }), app.origin).signIn(login);
    for (let n = 0; n < 20; n++) await signIn(`visitor-${n}`);
    await Promise.all(Array.from({ length: 20 }, (_, n) => signIn(`visitor-${n}`)));
    app.signal("SIGTERM");
    assert.equal((await app.ended()).code, 0);
  }
  await Deno.remove(directory, { recursive: true });
});
