import { createHmac } from "node:crypto";
import { cp, mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { findRuntime } from "../../tools/provide/runtimes.ts";
import { WsClient } from "../support/app/ws_client.ts";
import { installPackage, type Project } from "../support/runtimes/installed_package.ts";
import { RuntimeServer } from "../support/runtimes/runtime_server.ts";

const EXAMPLES = new URL("../../examples/own_sessions", import.meta.url).pathname;

const skip = findRuntime("node22") === undefined && "not installed";
const OPTIONS = { skip, timeout: 240_000 }; // The first one includes the installation.

function cookieOf(response: Response): string {
  return response.headers.getSetCookie().map((cookie) => cookie.split(";")[0]!).join("; ");
}

/** Opens a socket of a program, which sends no `Origin`. */
function connect(
  server: RuntimeServer,
  headers: Record<string, string>,
  protocols: string[] = ["sluice.v1"],
): Promise<WsClient> {
  return WsClient.connect(`${server.wsOrigin}/ws/room`, { protocols, headers });
}

let project: Project;

before(async () => {
  if (skip) return;
  project = await installPackage();
  await cp(EXAMPLES, project.folder, { recursive: true });
});

after(() => project?.[Symbol.asyncDispose]());

function start(program: string, env?: Readonly<Record<string, string>>): Promise<RuntimeServer> {
  return RuntimeServer.start("node22", project.folder, program, env);
}

test(
  "better_auth.js: signing out ends every socket of the session, on both processes",
  OPTIONS,
  async (t) => {
    const data = `${project.folder}/data`;
    await mkdir(data);
    const env = { DATA: data, BETTER_AUTH_SECRET: "a secret of the tests, of 32 characters" };
    await using here = await start("better_auth.js", env);
    await using there = await start("better_auth.js", env);
    const post = (path: string, body: unknown, cookie = "") =>
      fetch(`${here.origin}/api/auth/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: here.origin, cookie },
        body: JSON.stringify(body),
      });
    const signUp = async (name: string) => {
      const account = { name, email: `${name}@example.com`, password: "correct horse" };
      const response = await post("sign-up/email", account);
      assert.equal(response.status, 200, await response.text());
      return { cookie: cookieOf(response) };
    };
    const [ada, grace] = [await signUp("ada"), await signUp("grace")];
    await assert.rejects(here.open("/ws/room"), { status: 401, code: "NOT_SIGNED_IN" });
    const open = (headers: Record<string, string>) =>
      Promise.all(
        [here, there].flatMap((server) =>
          Array.from({ length: 10 }, () => server.open("/ws/room", undefined, headers))
        ),
      );
    const sockets = await open(ada);
    using other = await there.open("/ws/room", undefined, grace);
    other.sendJson({ type: "say", data: { text: "hello" } });
    assert.deepEqual((await sockets[10]!.frame("said")).data, { from: "grace", text: "hello" });

    const startedAt = performance.now();
    const signedOut = await post("sign-out", {}, ada.cookie);
    assert.equal(signedOut.status, 200, await signedOut.text());
    const ends = await Promise.all(sockets.map((socket) => socket.closed));
    t.diagnostic(
      `20 sockets ended ${Math.round(performance.now() - startedAt)} ms after sign-out began`,
    );
    assert.deepEqual(new Set(ends.map(({ code }) => code)), new Set([4401]));
    await assert.rejects(there.open("/ws/room", undefined, ada), { status: 401 });

    const changed = await post("change-password", {
      currentPassword: "correct horse",
      newPassword: "battery staple",
      revokeOtherSessions: true,
    }, grace.cookie);
    assert.equal(changed.status, 200, await changed.text());
    assert.equal((await other.closed).code, 4401);
  },
);

test("express_session.js: sockets by cookie and by ticket end at sign-out", OPTIONS, async () => {
  await using server = await start("express_session.js");
  const invalid = await fetch(`${server.origin}/sign-in?as=a%0Ab`, { method: "POST" });
  assert.deepEqual([invalid.status, (await invalid.json()).code], [400, "INVALID_NAME"]);
  const signedIn = await fetch(`${server.origin}/sign-in?as=ada`, { method: "POST" });
  const cookie = cookieOf(signedIn);
  await signedIn.body?.cancel();
  const issue = (headers: Record<string, string>) =>
    fetch(`${server.origin}/api/tickets`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ path: "/ws/room" }),
    });
  const none = await issue({ cookie: cookie.replace(/.$/, "x") });
  assert.deepEqual([none.status, (await none.json()).code], [401, "NOT_SIGNED_IN"]);
  const { ticket } = await (await issue({ cookie })).json();
  const protocols = ["sluice.v1", `sluice.ticket.${ticket}`];
  using byTicket = await connect(server, {}, protocols);
  await assert.rejects(connect(server, {}, protocols), { status: 401, code: "TICKET_INVALID" });
  await assert.rejects(connect(server, { cookie }), { status: 403, code: "ORIGIN_NOT_ALLOWED" });
  using byCookie = await server.open("/ws/room", undefined, { cookie });
  const signedOut = await fetch(`${server.origin}/sign-out`, {
    method: "POST",
    headers: { cookie },
  });
  assert.equal(signedOut.status, 204);
  assert.equal((await byCookie.closed).code, 4401);
  assert.equal((await byTicket.closed).code, 4401);
  await assert.rejects(server.open("/ws/room", undefined, { cookie }), { code: "NOT_SIGNED_IN" });
});

test(
  "jwt.js: a webhook ends a session, whose token is refused from then on",
  OPTIONS,
  async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwks = { keys: [{ ...await exportJWK(publicKey), kid: "k1", alg: "ES256" }] };
    let isDown = true;
    const service = createServer((_request, response) => {
      response.writeHead(isDown ? 500 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(jwks));
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    const issuer = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    try {
      await using server = await start("jwt.js", {
        ISSUER: issuer,
        WEBHOOK_SECRET: "shared",
      });
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        sub: "u1",
        sid: "s1",
        name: "Ada",
        aud: "sockets",
        iss: issuer,
        exp: now + 600,
      };
      const sign = async (changes: JWTPayload = {}, key = privateKey) => {
        const token = await new SignJWT({ ...claims, ...changes })
          .setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(key);
        return { authorization: `Bearer ${token}` };
      };
      const valid = await sign();
      await assert.rejects(connect(server, valid), { status: 503, code: "UNAVAILABLE" });
      isDown = false;
      using socket = await connect(server, valid);
      using other = await connect(server, await sign({ sid: "s2" }));
      const forged = (await generateKeyPair("ES256")).privateKey;
      const invalid = [
        await sign({}, forged),
        await sign({ exp: now - 60 }),
        await sign({ aud: "another service" }),
        await sign({ sid: undefined }),
      ];
      for (const headers of invalid) {
        await assert.rejects(connect(server, headers), {
          status: 401,
        });
      }

      const revoke = (secret: string) => {
        const body = JSON.stringify({ sid: "s1", exp: claims.exp });
        const signature = createHmac("sha256", secret).update(body).digest("hex");
        const headers = { "x-signature": signature };
        return fetch(`${server.origin}/webhooks/revoked`, { method: "POST", headers, body });
      };
      assert.equal((await revoke("guessed")).status, 401);
      using again = await connect(server, valid);
      assert.equal((await revoke("shared")).status, 204);
      assert.deepEqual([(await socket.closed).code, (await again.closed).code], [4401, 4401]);
      await assert.rejects(connect(server, valid), { status: 401, code: "NOT_SIGNED_IN" });
      assert.equal((await revoke("shared")).status, 204, "a repeated webhook does no harm");
      other.sendJson({ type: "say", data: { text: "still here" } });
      assert.deepEqual((await other.frame("said")).data, { from: "Ada", text: "still here" });
    } finally {
      service.close();
    }
  },
);

test("api_keys.js: sockets end with their key, and are limited per key", OPTIONS, async () => {
  await using server = await start("api_keys.js");
  const statusOf = async (path: string, method: string) => {
    const response = await fetch(server.origin + path, { method });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await statusOf("/keys/", "DELETE"), 404);
  assert.equal(await statusOf(`/keys/${"x".repeat(300)}`, "DELETE"), 404);
  for (const ms of ["abc", "-1", "1e99"]) {
    assert.equal(await statusOf(`/keys?ms=${ms}`, "POST"), 400);
  }
  const create = async (query: string) => {
    const response = await fetch(`${server.origin}/keys?${query}`, { method: "POST" });
    const { id, secret } = await response.json();
    return { id, headers: { "x-api-key": secret } };
  };
  const short = await create("name=short&ms=1500");
  using expiring = await connect(server, short.headers);
  const key = await create("name=robot");
  const sockets = await Promise.all(
    Array.from({ length: 20 }, () => connect(server, key.headers)),
  );
  await assert.rejects(connect(server, key.headers), { status: 429, code: "TOO_MANY_SOCKETS" });
  using other = await connect(server, (await create("name=other")).headers);
  other.sendJson({ type: "say", data: { text: "hi" } });
  assert.deepEqual((await sockets[0]!.frame("said")).data, { from: "other", text: "hi" });
  await fetch(`${server.origin}/keys/${key.id}`, { method: "DELETE" });
  for (const socket of sockets) assert.equal((await socket.closed).code, 4401);
  await assert.rejects(connect(server, key.headers), { status: 401, code: "NOT_SIGNED_IN" });
  await assert.rejects(connect(server, {}), { status: 401 });
  assert.equal((await expiring.closed).code, 4401);
});
