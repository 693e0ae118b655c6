import { test } from "node:test";
import assert from "node:assert/strict";
import { LiveApp } from "../../support/app/live_app.ts";

const post = (url: string, form: Record<string, string> = {}) =>
  fetch(url, { method: "POST", body: new URLSearchParams(form) });

test("a program without a browser signs in with a code, and its session can be ended", async () => {
  await using app = await LiveApp.start();
  const begun = await (await post(`${app.origin}/auth/device`)).json();
  assert.equal(begun.verification_uri, `${app.origin}/device`);
  const poll = () => post(`${app.origin}/auth/device/token`, { device_code: begun.device_code });
  assert.deepEqual(await (await poll()).json(), { error: "authorization_pending" });

  const ada = await app.signIn("ada");
  const asked = await ada.request(`/device?user_code=${begun.user_code}`);
  const text = await asked.text();
  assert.match(text, new RegExp(begun.user_code));
  assert.match(text, /wants to sign in as you/);
  const form = new URLSearchParams({ user_code: begun.user_code, answer: "approve" });
  const approved = await ada.request("/device", { method: "POST", body: form });
  assert.match(await approved.text(), /signed in as you/);

  const answer = await poll();
  const { access_token, token_type } = await answer.json();
  assert.equal(token_type, "Bearer");
  const headers = { authorization: `Bearer ${access_token}` };
  const me = await fetch(`${app.origin}/api/me`, { headers });
  assert.equal((await me.json()).login, "ada");
  const sessions = await (await ada.request("/api/sessions")).json() as {
    id: string;
    current: boolean;
  }[];
  const device = sessions.find(({ current }) => !current)!;
  await ada.request(`/api/sessions/${device.id}`, { method: "DELETE" });
  assert.equal((await fetch(`${app.origin}/api/me`, { headers })).status, 401);
});

test("a page on another site cannot approve a program", async () => {
  await using app = await LiveApp.start();
  const begun = await (await post(`${app.origin}/auth/device`)).json();
  const ada = await app.signIn("ada");
  const response = await ada.request("/device", {
    method: "POST",
    headers: { origin: "https://evil.example" },
    body: new URLSearchParams({ user_code: begun.user_code, answer: "approve" }),
  });
  assert.equal(response.status, 403);
  const polled = await post(`${app.origin}/auth/device/token`, { device_code: begun.device_code });
  assert.equal((await polled.json()).error, "authorization_pending");
});

test("the page for programs requires sign-in and rejects unknown codes", async () => {
  await using app = await LiveApp.start();
  const nobody = await app.app.browser().request("/device?user_code=BCDF-GHJK");
  assert.equal(nobody.status, 303);
  assert.match(nobody.headers.get("location")!, /^\/signin\?return_to=%2Fdevice/);
  const ada = await app.signIn("ada");
  const text = await (await ada.request("/device?user_code=BCDF-GHJK")).text();
  assert.match(text, /That code is wrong or has expired/);
  const bad = await post(`${app.origin}/auth/device/token`);
  assert.deepEqual([bad.status, await bad.json()], [400, { error: "invalid_request" }]);
});

test("examples/native_client.ts keeps a socket with tickets until its session ends", async () => {
  await using app = await LiveApp.start();
  const ada = await app.signIn("ada");
  const token = ada.cookies.get("session")!;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("../../../examples/native_client.ts", import.meta.url).pathname,
    ],
    env: { SLUICE_URL: app.origin, SLUICE_TOKEN: token },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (part.includes("Hello from a program")) {
      await ada.request("/auth/signout", { method: "POST" });
    }
  }
  assert.equal((await child.status).code, 0);
  assert.match(text, /^live$/m);
  assert.match(text, /^signed-out/m);
  assert.ok(!text.includes(token));
});
