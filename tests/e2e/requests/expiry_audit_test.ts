import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { FakeClock } from "@sluice/sluice/testing";
import { TestApp } from "../../support/app/test_app.ts";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";

before(buildApp);

test("a session that expires with sockets on three processes is in the audit log once", async () => {
  const directory = await Deno.makeTempDir();
  const kvPath = join(directory, "kv.sqlite3");
  const env = { DENO_KV_PATH: kvPath, SESSION_IDLE_TTL: "2s", LOG_FORMAT: "json" };
  let id: string;
  let output = "";
  {
    await using one = await AppProcess.start(env);
    await using two = await AppProcess.start(env);
    await using three = await AppProcess.start(env);
    const ada = await one.signIn("ada");
    ({ id } = await (await ada.request("/api/me")).json());
    const processes = [one, two, three];
    const sockets = await Promise.all(processes.map((process) => process.open("/ws/echo", ada)));
    const ends = await Promise.all(sockets.map((socket) => socket.closed));
    for (const end of ends) assert.deepEqual(end, { code: 4401, reason: "expired" });
    // A later request with the session notices its expiry too.
    for (const process of processes) {
      const browser = process.browser();
      for (const [name, value] of ada.cookies) browser.cookies.set(name, value);
      assert.equal((await (await browser.request("/api/me")).json()).code, "SESSION_EXPIRED");
    }
    for (const process of processes) {
      process.signal("SIGTERM");
      const { stdout, stderr } = await process.ended();
      output += stdout + stderr;
    }
  }
  using kv = await Deno.openKv(kvPath);
  const entries = await Array.fromAsync(kv.list<{ kind: string; code?: string; at: number }>({
    prefix: ["audit", id],
  }));
  const expired = entries.filter(({ value }) => value.code === "expired");
  assert.deepEqual(expired.map(({ value }) => value.kind), ["session-ended"]);
  assert.ok(Math.abs(expired[0]!.value.at - Date.now()) < 30_000);
  assert.equal(output.match(/"code":"expired"/g)?.length, 1, "one line of the log");
  await Deno.remove(directory, { recursive: true });
});

test("a session that expires without sockets is in the audit log after its next use", async () => {
  const clock = new FakeClock(Date.now());
  await using app = await TestApp.create({ SESSION_IDLE_TTL: "1h" }, { clock });
  const { audit } = app.services;
  const browser = app.browser();
  await browser.signIn("ada");
  const { id } = await (await browser.request("/api/me")).json();
  const endsAt = clock.now() + 3_600_000;
  await clock.advance(2 * 3_600_000);
  for (let n = 0; n < 3; n++) {
    assert.equal((await (await browser.request("/api/me")).json()).code, "SESSION_EXPIRED");
  }
  await audit.written();
  const entries = await audit.list(id);
  assert.deepEqual(entries.map(({ kind, code }) => code ? `${kind} ${code}` : kind), [
    "session-ended expired",
    "signed-in",
  ]);
  assert.equal(entries[0]!.at, endsAt, "when it ended, not when it was noticed");
});
