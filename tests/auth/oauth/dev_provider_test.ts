import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { DevIdentity, DevProvider } from "../../../lib/auth/dev/mod.ts";
import type { User } from "../../../lib/auth/mod.ts";
import { FakeLog } from "../../support/fake_log.ts";
import { testApp } from "../../support/auth/app.ts";
import { Browser } from "../../support/auth/browser.ts";
import { type KeyValue, MemoryKeyValue } from "../../../lib/kv/mod.ts";

const ORIGIN = "http://127.0.0.1:8000";
const LOCAL = { address: "127.0.0.1" };

function setUp({ address = "127.0.0.1", kv }: { address?: string; kv?: KeyValue } = {}) {
  const log = new FakeLog();
  const identity = new DevIdentity({ log, ...kv === undefined ? {} : { kv } });
  const app = testApp([new DevProvider(identity)], {
    log,
    address,
    elsewhere: (request) =>
      new URL(request.url).pathname.startsWith("/auth/dev/")
        ? identity.handle(request, { address })
        : new Response("a page"),
  });
  return { ...app, identity, browser: new Browser(app.handle) };
}

async function whoIs(browser: Browser, origin = ORIGIN): Promise<User> {
  const response = await browser.request(`${origin}/api/me`);
  assert.equal(response.status, 200);
  return await response.json();
}

test("DevProvider signs in with a login hint and redirects only", async () => {
  const { browser } = setUp();
  const { url, response } = await browser.visit(
    `${ORIGIN}/auth/signin?provider=dev&login_hint=ada&return_to=/rooms/lobby`,
  );
  assert.equal(url, `${ORIGIN}/rooms/lobby`);
  assert.equal(response.status, 200);
  const user = await whoIs(browser);
  assert.equal(user.login, "ada");
  assert.equal(user.name, "Ada Lovelace");
  assert.equal(user.provider, "dev");
});

test("DevProvider shows a page with identities, and one click signs in", async () => {
  const { browser } = setUp();
  const { url, response } = await browser.visit(`${ORIGIN}/auth/signin?provider=dev&return_to=/x`);
  const html = await response.text();
  assert.equal(response.status, 200);
  for (const name of ["Ada Lovelace", "Grace Hopper", "Linus Torvalds"]) {
    assert.ok(html.includes(name), name);
  }
  assert.ok(html.includes(`action="${new URL(url).pathname}"`));
  assert.ok(!html.includes("<script"));
  assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'; style-src/);
  assert.equal(response.headers.get("referrer-policy"), "same-origin");

  const end = await browser.visit(url, form({ login: "grace" }));
  assert.equal(end.url, `${ORIGIN}/x`);
  assert.equal((await whoIs(browser)).login, "grace");
});

test("DevProvider accepts any name that yields a valid login", async () => {
  const { browser } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin`);
  for (const login of ["", "  ", "<script>", "a".repeat(40), "å/é", "-", "../x"]) {
    const { response } = await browser.visit(url, form({ login }));
    assert.equal(response.status, 422, login);
    assert.match(await response.text(), /role="alert"/);
  }
  await browser.visit(url, form({ login: "  Margaret HAMILTON " }));
  const user = await whoIs(browser);
  assert.deepEqual([user.login, user.name], ["margaret-hamilton", "Margaret Hamilton"]);
});

test("DevProvider lets a browser choose another identity next time", async () => {
  const { browser } = setUp();
  const ids = new Set<string>();
  for (const login of ["ada", "grace", "ada"]) {
    await browser.visit(`${ORIGIN}/auth/signin?login_hint=${login}`);
    const user = await whoIs(browser);
    assert.equal(user.login, login);
    ids.add(user.id);
  }
  assert.equal(ids.size, 2);
  const { response } = await browser.visit(`${ORIGIN}/auth/signin`);
  assert.match(await response.text(), /Who do you want to be/);
});

test("DevProvider lets several tabs of a browser sign in at once", async () => {
  const { browser } = setUp();
  const one = await browser.visit(`${ORIGIN}/auth/signin?return_to=/one`);
  const two = await browser.visit(`${ORIGIN}/auth/signin?return_to=/two`);
  assert.equal((await browser.visit(one.url, form({ login: "ada" }))).url, `${ORIGIN}/one`);
  assert.equal((await browser.visit(two.url, form({ login: "ada" }))).url, `${ORIGIN}/two`);
});

test("DevProvider reports that the user cancelled", async () => {
  const { browser } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin?return_to=/x`);
  const { response } = await browser.visit(url, form({ cancel: "yes" }));
  assert.equal(response.status, 400);
  assert.deepEqual(await response.json(), {
    code: "PROVIDER_DENIED",
    message: "The provider did not let you sign in",
    reason: "You cancelled the sign-in",
    provider: "dev",
    returnTo: "/x",
  });
  assert.equal((await browser.request(`${ORIGIN}/api/me`)).status, 401);
});

test("DevProvider works under every loopback host name, with separate cookies", async () => {
  const { handle } = setUp();
  for (const origin of ["http://localhost:1234", "http://[::1]:8000", "http://127.0.0.1"]) {
    const browser = new Browser(handle);
    await browser.visit(`${origin}/auth/signin?login_hint=ada`);
    assert.equal((await whoIs(browser, origin)).login, "ada", origin);
  }
});

test("DevProvider maps one login to one user on every port", async () => {
  const { handle } = setUp();
  const ids = new Set<string>();
  for (const port of [1, 2]) {
    const browser = new Browser(handle);
    const origin = `http://localhost:${port}`;
    await browser.visit(`${origin}/auth/signin?login_hint=ada`);
    ids.add((await whoIs(browser, origin)).id);
  }
  assert.equal(ids.size, 1);
});

test("DevIdentity serves no host other than this machine", async () => {
  const { identity, handle } = setUp();
  const path = "/auth/dev/.well-known/openid-configuration";
  for (const host of ["example.com", "192.168.0.1", "127.0.0.1.evil.example", "localhost.evil"]) {
    const response = await identity.handle(new Request(`http://${host}${path}`), LOCAL);
    assert.equal(response.status, 403, host);
  }
  const headers = { host: "rebound.example" };
  const request = new Request(ORIGIN + path, { headers });
  if (request.headers.has("host")) {
    assert.equal((await identity.handle(request, LOCAL)).status, 403);
  }
  const begun = await handle(new Request("https://app.example.com/auth/signin?provider=dev"));
  assert.equal(begun.status, 403);
  assert.equal((await begun.json()).code, "LOCAL_ONLY");
});

/** The steps of a development sign-in, with their paths. */
const STEPS: [step: string, path: string][] = [
  ["the beginning", "/auth/signin?provider=dev&login_hint=ada"],
  ["the beginning with the only provider", "/auth/signin"],
  ["the callback", "/auth/callback/dev?code=c&state=s"],
  ["the provider's discovery", "/auth/dev/.well-known/openid-configuration"],
  ["the provider's authorization", "/auth/dev/auth?client_id=sluice"],
  ["the provider's page", "/auth/dev/interaction/x"],
  ["the provider's token endpoint", "/auth/dev/token"],
  ["nothing of the provider's", "/auth/dev/nothing"],
];

const PEERS: [address: string, isLocal: boolean][] = [
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["192.0.2.1", false],
  ["10.0.0.1", false],
  ["::ffff:192.0.2.1", false],
  ["fe80::1", false],
  ["127.0.0.1.evil.example", false],
  ["1127.0.0.1", false],
  ["localhost.evil", false],
  ["unknown", false],
  ["", false],
];
for (const [address, isLocal] of PEERS) {
  test(`DevProvider ${isLocal ? "takes" : "refuses"} a peer at "${address}", at every step`, async () => {
    const { handle } = setUp({ address });
    for (const [step, path] of STEPS) {
      const { status } = await handle(new Request(ORIGIN + path));
      assert.equal(status === 403, !isLocal, `${step}: ${status}`);
    }
  });
}

const FORWARDING: [name: string, value: string][] = [
  ["Forwarded", "for=192.0.2.1"],
  ["X-Forwarded-For", "127.0.0.1"],
  ["X-Forwarded-For", ""],
  ["X-Forwarded-Host", "127.0.0.1:8000"],
  ["X-Forwarded-Proto", "http"],
  ["X-Forwarded-Port", "8000"],
  ["X-Forwarded-Server", "proxy"],
  ["X-Forwarded", "1"],
  ["x_forwarded_for", "192.0.2.1"],
  ["X-Real-IP", "192.0.2.1"],
  ["Via", "1.1 proxy"],
  ["CDN-Loop", "cdn"],
  ["CF-Connecting-IP", "192.0.2.1"],
  ["CF-Connecting-IPv6", "2001:db8::1"],
  ["CF-Ray", "1"],
  ["True-Client-IP", "192.0.2.1"],
  ["X-Client-IP", "192.0.2.1"],
  ["X-Client-Address", "192.0.2.1"],
  ["X-Originating-IP", "192.0.2.1"],
  ["X-HTTP-Forwarded-For", "192.0.2.1"],
  ["X-Cluster-Client-IP", "192.0.2.1"],
  ["Client-IP", "192.0.2.1"],
  ["X-Remote-Addr", "192.0.2.1"],
  ["X-Original-Forwarded-For", "192.0.2.1"],
  ["X-Original-Host", "app.example.com"],
  ["X-Envoy-External-Address", "192.0.2.1"],
  ["X-Amzn-Trace-Id", "Root=1"],
  ["X-ProxyUser-Ip", "192.0.2.1"],
  ["Proxy-Client-IP", "192.0.2.1"],
  ["X-Azure-ClientIP", "192.0.2.1"],
  ["Fly-Client-IP", "192.0.2.1"],
  ["Fastly-Client-IP", "192.0.2.1"],
  ["X-AppEngine-User-IP", "192.0.2.1"],
  ["Tailscale-User-Login", "eve@example.com"],
];
for (const [name, value] of FORWARDING) {
  test(`DevProvider refuses a request with ${name}: ${value}, at every step`, async () => {
    const { handle } = setUp();
    for (const [step, path] of STEPS) {
      const request = new Request(ORIGIN + path, { headers: { [name]: value } });
      assert.equal((await handle(request)).status, 403, step);
    }
  });
}

test("DevProvider accepts the headers that browsers and curl send", async () => {
  const { browser } = setUp();
  const headers = {
    "accept": "text/html",
    "accept-language": "en",
    "cache-control": "no-cache",
    "dnt": "1",
    "priority": "u=0, i",
    "referer": `${ORIGIN}/signin`,
    "sec-ch-ua": '"Chromium";v="140"',
    "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "sec-fetch-user": "?1",
    "sec-gpc": "1",
    "upgrade-insecure-requests": "1",
    "user-agent": "curl/8",
    "x-requested-with": "XMLHttpRequest",
  };
  const { url } = await browser.visit(`${ORIGIN}/auth/signin?return_to=/x`, { headers });
  assert.equal(
    (await browser.visit(url, { ...form({ login: "ada" }), headers })).url,
    `${ORIGIN}/x`,
  );
});

test("DevProvider signs in with each step on another process", async () => {
  await using kv = new MemoryKeyValue();
  const processes = Array.from({ length: 3 }, () => {
    const identity = new DevIdentity({ log: new FakeLog(), kv });
    return testApp([new DevProvider(identity)], {
      address: "127.0.0.1",
      kv,
      elsewhere: (request) =>
        new URL(request.url).pathname.startsWith("/auth/dev/")
          ? identity.handle(request, LOCAL)
          : new Response("a page"),
    });
  });
  for (let shift = 0; shift < 3; shift++) {
    for (const way of [[0, 1, 2], [0, 0, 1], [0, 2, 2]]) {
      let step = 0;
      const browser = new Browser((request) =>
        processes[(way[step++ % 3]! + shift) % 3]!.handle(request)
      );
      const { url } = await browser.visit(`${ORIGIN}/auth/signin?return_to=/x`);
      assert.equal((await browser.visit(url, form({ login: "ada" }))).url, `${ORIGIN}/x`);
      assert.notEqual(browser.cookie(ORIGIN, "session"), undefined);
    }
  }
});

test("DevIdentity exchanges a code once over all processes", async () => {
  await using kv = new MemoryKeyValue();
  const [here, there] = [1, 2].map(() => new DevIdentity({ log: new FakeLog(), kv }));
  const { browser } = setUp({ kv });
  const verifier = "v".repeat(43);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const authorize = new URL(`${ORIGIN}/auth/dev/auth`);
  for (
    const [name, value] of Object.entries({
      client_id: "sluice",
      response_type: "code",
      redirect_uri: `${ORIGIN}/auth/callback/dev`,
      scope: "openid",
      state: "s",
      login_hint: "ada",
      code_challenge: Buffer.from(digest).toString("base64url"),
      code_challenge_method: "S256",
    })
  ) authorize.searchParams.set(name, value);
  const { url } = await browser.visit(
    authorize.href,
    {},
    (next) => next.pathname === "/auth/callback/dev",
  );
  const redeem = async (identity: DevIdentity | undefined) => {
    const response = await identity!.handle(
      new Request(`${ORIGIN}/auth/dev/token`, {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "authorization_code",
          client_id: "sluice",
          code: new URL(url).searchParams.get("code")!,
          redirect_uri: `${ORIGIN}/auth/callback/dev`,
          code_verifier: verifier,
        }),
      }),
      LOCAL,
    );
    return { status: response.status, body: await response.json() };
  };
  const { status, body } = await redeem(here);
  assert.equal(status, 200);
  assert.equal((await redeem(there)).body.error, "invalid_grant");
  // A code used twice was stolen: its tokens are revoked.
  const headers = { authorization: `Bearer ${body.access_token}` };
  const me = await there!.handle(new Request(`${ORIGIN}/auth/dev/me`, { headers }), LOCAL);
  assert.equal(me.status, 401);
});

test("DevIdentity refuses to finish another browser's interaction", async () => {
  const { browser, handle } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin`);
  const { response } = await new Browser(handle).visit(url, form({ login: "ada" }));
  assert.equal(response.status, 400);
});

test("DevIdentity sends codes only to its own callback", async () => {
  const { browser } = setUp();
  const begun = await browser.request(`${ORIGIN}/auth/signin?login_hint=ada`);
  const url = new URL(begun.headers.get("location")!);
  for (const evil of ["https://evil.example/", `${ORIGIN}/auth/callback/dev/x`, `${ORIGIN}/`]) {
    url.searchParams.set("redirect_uri", evil);
    const response = await browser.request(url.href);
    assert.equal(response.status, 400);
    assert.equal(response.headers.get("location"), null);
  }
});

test("DevIdentity requires PKCE", async () => {
  const { browser } = setUp();
  const begun = await browser.request(`${ORIGIN}/auth/signin?login_hint=ada`);
  const url = new URL(begun.headers.get("location")!);
  url.searchParams.delete("code_challenge");
  url.searchParams.delete("code_challenge_method");
  const response = await browser.request(url.href);
  assert.match(response.headers.get("location") ?? "", /error=invalid_request/);
});

test("DevIdentity refuses a body that is too large", async () => {
  const { browser } = setUp();
  const { url } = await browser.visit(`${ORIGIN}/auth/signin`);
  const { response } = await browser.visit(url, form({ login: "a".repeat(100_000) }));
  assert.equal(response.status, 413);
});

test("DevIdentity writes nothing to the console", async () => {
  const { browser } = setUp();
  const { warn, info, error } = console;
  const lines: unknown[] = [];
  console.warn = console.info = console.error = (...values: unknown[]) => void lines.push(values);
  try {
    await browser.visit("http://localhost:9999/auth/signin?login_hint=ada");
    await browser.visit("http://localhost:9999/auth/dev/nothing");
  } finally {
    Object.assign(console, { warn, info, error });
  }
  assert.deepEqual(lines, []);
});

function form(fields: Record<string, string>): RequestInit {
  return { method: "POST", body: new URLSearchParams(fields) };
}
