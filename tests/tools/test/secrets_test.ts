import { test } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { findSecrets, type FoundSecret } from "../../../tools/test/secrets.ts";
import { watchOutput } from "../../../tools/test/watch_output.ts";
import { TestApp } from "../../support/app/test_app.ts";

const random = (size: number) => randomBytes(size).toString("base64url");
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const token = `${random(12)}.${random(32)}`;
const jwt = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded({ sub: "ada" })}.${random(32)}`;

// Random values, so that neither the source nor the output of this test contains a secret pattern.
const SECRETS: [what: string, text: string, secret: string][] = [
  ["a cookie", `session=${token}; Path=/`, token],
  ["a cookie in JSON", JSON.stringify({ headers: { cookie: `__Host-session=${token}` } }), token],
  ["a JWT", `no good: ${jwt}`, jwt],
  ["a ticket", `sluice.v1, sluice.ticket.${jwt}`, jwt],
  ["a header", `Authorization: Bearer ${token}`, token],
  ["a GitHub token", `got "gho_${random(18)}"`, "gho_"],
  ["a test double's secret", `client double-secret-${random(8)}`, "double-secret"],
  ["a code", `GET /auth/callback/dev?code=${random(32)}&state=x`, ""],
];
for (const [what, text, secret] of SECRETS) {
  test(`findSecrets() finds ${what} and does not repeat it`, () => {
    const found = findSecrets(`fine\n${text}\nfine`);
    assert.ok(found.length > 0);
    for (const { line } of found) {
      assert.ok(line.length > 0);
      assert.ok(secret === "" || !line.includes(secret), "the secret is not repeated");
    }
  });
}

test("findSecrets() ignores text that only resembles a secret", () => {
  const texts = [
    `session=${random(12)}`,
    `session.${random(12)}`,
    `hash ${random(32)}`,
    "error (file:///home/somebody/lib/sessions/sessions.ts:12:34)",
    "WWW-Authenticate: Bearer",
    "code=NOT_SIGNED_IN, code=TOO_MANY_SOCKETS path=/ws/echo",
    "sha512-" + randomBytes(64).toString("base64"),
    '{"kind":"session-ended","sessionId":"' + random(12) + '","code":"expired"}',
  ];
  for (const text of texts) assert.deepEqual(findSecrets(text), []);
});

test("watchOutput() passes all output on, and finds a secret that is split between chunks", async () => {
  const bytes = new TextEncoder().encode(`first ✓\nsession=${token}\nlast`);
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
      controller.close();
    },
  });
  const passed: number[] = [];
  const found: FoundSecret[] = [];
  await watchOutput(stream, (chunk) => void passed.push(...chunk), found);
  assert.deepEqual(passed, [...bytes]);
  assert.deepEqual(found.map(({ kind }) => kind), ["a session token"]);
});

test("TestApp fails the test at its end if the app logged a cookie", async () => {
  const app = await TestApp.create();
  app.services.log.debug("a request arrived", { cookie: `session=${token}` });
  await assert.rejects(
    async () => await app[Symbol.asyncDispose](),
    (error: Error) => /contains secrets/.test(error.message) && !error.message.includes(token),
  );
});
