import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Log } from "@sluice/sluice/server";
import type { LogFields } from "../../../lib/core/log.ts";
import { UserChanges } from "@sluice/sluice/auth";
import { TestApp } from "../../support/app/test_app.ts";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { WsClient } from "../../support/app/ws_client.ts";

before(buildApp);

test("the audit log records a user's sign-in, refusals and the end of the session", async () => {
  await using app = await LiveApp.start({ SOCKETS_PER_USER: "1" });
  const { audit } = app.app.services;
  const ada = await app.signIn("ada");
  const { id } = await (await ada.request("/api/me")).json();
  using _socket = await app.open("/ws/echo", ada);
  for (let n = 0; n < 3; n++) await assert.rejects(app.open("/ws/echo", ada));
  await ada.request("/auth/signout", { method: "POST" });
  await audit.written();
  const events = (await audit.list(id)).map(({ kind, code }) => code ? `${kind} ${code}` : kind);
  assert.deepEqual(events, [
    "session-ended signed-out",
    "refused TOO_MANY_SOCKETS",
    "signed-in",
  ]);
  const [ended] = await audit.list(id, { limit: 1 });
  assert.ok(Math.abs(ended!.at - Date.now()) < 10_000);
  assert.deepEqual(await audit.list("somebody else"), []);
});

test("the audit log deletes events after their retention time", async () => {
  await using app = await TestApp.create({ AUDIT_RETENTION: "1ms" });
  const browser = app.browser();
  await browser.signIn("ada");
  const { id } = await (await browser.request("/api/me")).json();
  await app.services.audit.written();
  while (Date.now() % 5 !== 0) await Promise.resolve();
  assert.deepEqual(await app.services.audit.list(id), []);
});

test("a banned user cannot sign in again, and learns why", async () => {
  await using app = await TestApp.create();
  const browser = app.browser();
  await browser.signIn("ada");
  const { id } = await (await browser.request("/api/me")).json();
  await new UserChanges(app.services).ban(id);
  assert.equal((await browser.request("/api/me")).status, 401);
  const response = await app.browser().visit("/auth/signin?provider=dev&login_hint=ada");
  assert.equal(response.status, 403);
  assert.match(await response.text(), /can't sign in here any more/);
});

test("anonymous refusals are not stored, and logged only at debug", async () => {
  const lines: string[] = [];
  const note = (level: string) => (message: string, fields?: LogFields) => {
    lines.push(`${level} ${message} ${fields?.count}`);
  };
  const log: Log = {
    debug: note("debug"),
    info: note("info"),
    warn: note("warn"),
    error: note("error"),
  };
  await using app = await TestApp.create({}, { log });
  for (let n = 0; n < 50; n++) await app.browser().request("/ws/echo");
  await app.services.audit.written();
  const { kv } = app.services.database;
  assert.deepEqual((await kv.list({ prefix: ["audit"] })).entries, []);
  await app.services.audit.close();
  const audited = lines.filter((line) => line.startsWith("debug audit"));
  assert.deepEqual(audited, ["debug audit undefined", "debug audit 50"]);
  assert.equal(lines.filter((line) => line.startsWith("info")).length, 0);
});

test("no log line, metric or error of a whole session contains a cookie, ticket, token or key", async () => {
  const directory = await Deno.makeTempDir();
  const kvPath = join(directory, "kv.sqlite3");
  const secrets: string[] = [];
  let text: string;
  {
    await using process = await AppProcess.start({
      DENO_KV_PATH: kvPath,
      LOG_LEVEL: "debug",
      LOG_FORMAT: "json",
      SOCKETS_PER_USER: "2",
    });
    const { origin } = process;
    const ada = await process.signIn("ada");
    const keep = () => secrets.push(...[...ada.cookies.values()].flatMap((v) => v.split(".")));
    keep();
    const post = { method: "POST", headers: { origin } };
    const asked = await ada.request("/api/tickets", { ...post, body: '{"path":"/ws/echo"}' });
    const { ticket } = await asked.json();
    secrets.push(ticket, ticket.split(".")[2]);
    const url = origin.replace("http", "ws") + "/ws/echo";
    const protocols = ["sluice.v1", `sluice.ticket.${ticket}`];
    const socket = await WsClient.connect(url, { protocols, headers: { origin } });
    const refusals = [
      WsClient.connect(url, { protocols, headers: { origin } }),
      WsClient.connect(url, { protocols, headers: { origin: "https://evil.example" } }),
      WsClient.connect(`${url}?access_token=${ticket}`, { headers: { cookie: ada.cookieHeader } }),
    ];
    const failed = await Promise.allSettled(refusals);
    secrets.push("sluice.ticket.");
    const errors = JSON.stringify(failed);
    const second = await process.open("/ws/echo", ada);
    await process.open("/ws/echo", ada).catch(() => {});
    const begun = await ada.request("/auth/signin?provider=dev&login_hint=ada");
    const target = new URL(begun.headers.get("location")!, origin);
    for (const name of ["state", "nonce", "code_challenge"]) {
      const value = target.searchParams.get(name);
      if (value) secrets.push(value);
    }
    const bad = "x".repeat(43);
    secrets.push(bad, "s3cr3t-code");
    await (await ada.request(`/auth/callback/dev?code=s3cr3t-code&state=${bad}`)).text();
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    const sessions = await (await ada.request("/api/sessions")).text();
    await ada.request("/auth/signout", post);
    await Promise.all([socket.closed, second.closed]);
    process.signal("SIGTERM");
    const { stdout, stderr } = await process.ended();
    text = [stdout, stderr, metrics, sessions, errors].join("\n");
  }
  using kv = await Deno.openKv(kvPath);
  for await (const { value } of kv.list<{ secret: Uint8Array }>({ prefix: ["ticket_keys"] })) {
    secrets.push(value.secret.toBase64(), value.secret.toHex(), value.secret.join(","));
  }
  const audit = await Array.fromAsync(kv.list({ prefix: ["audit"] }));
  assert.ok(audit.length >= 3, "the audit log was written");
  text += JSON.stringify(audit);
  assert.match(text, /"message":"audit"|"audit"/, "the log was written");
  const found = secrets.filter((secret) => secret.length > 8 && text.includes(secret));
  assert.ok(secrets.length > 10);
  // The first part of a cookie is the session id, which is not secret.
  const ids = new Set(audit.map(({ value }) => (value as { sessionId?: string }).sessionId));
  assert.deepEqual(found.filter((secret) => !ids.has(secret)), []);
  await Deno.remove(directory, { recursive: true });
});
