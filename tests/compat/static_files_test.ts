import assert from "node:assert/strict";
import { after, test } from "node:test";
import { asset } from "fresh/runtime";
import { buildInMemory, buildOnDisk, type Fetch, silently } from "../support/compat/fresh_app.ts";

const build = await buildOnDisk();
const { fetch } = build;
after(() => build[Symbol.asyncDispose]());

test("staticFiles() serves a file with its type, length and an ETag", async () => {
  const response = await fetch("/plain.txt");
  assert.equal(await response.text(), "plain\n");
  assert.match(response.headers.get("content-type")!, /^text\/plain/);
  assert.equal(response.headers.get("content-length"), "6");
  assert.match(response.headers.get("etag")!, /^W\/"[0-9a-f]+"$/);
  assert.match(response.headers.get("cache-control")!, /no-cache/);
});

test("staticFiles() answers 304 if the client has the file", async () => {
  const etag = (await fetch("/plain.txt")).headers.get("etag")!;
  const same = await fetch("/plain.txt", { headers: { "If-None-Match": etag } });
  assert.equal(same.status, 304);
  assert.equal(await same.text(), "");
  const other = await fetch("/plain.txt", { headers: { "If-None-Match": 'W/"other"' } });
  assert.equal(other.status, 200);
  await other.body?.cancel();
});

test("staticFiles() lets browsers cache a URL with the build id for a year", async () => {
  const response = await fetch(asset("/plain.txt"));
  assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
  await response.body?.cancel();
});

test("staticFiles() redirects a URL of another build", async () => {
  const response = await fetch("/plain.txt?__frsh_c=another");
  assert.equal(response.status, 307);
  assert.equal(response.headers.get("location"), "/plain.txt");
});

test("staticFiles() answers HEAD without a body, and refuses methods that change files", async () => {
  const head = await fetch("/plain.txt", { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), "6");
  assert.equal(await head.text(), "");
  assert.equal((await fetch("/plain.txt", { method: "POST" })).status, 405);
});

test("staticFiles() finds names with characters that URLs escape", async () => {
  assert.equal(await (await fetch("/with%20space.txt")).text(), "spaced");
});

test("staticFiles() serves .well-known, and no other hidden directory", async () => {
  assert.equal(await (await fetch("/.well-known/test.json")).text(), "{}\n");
  assert.equal((await fetch("/.hidden/secret.txt")).status, 404);
});

let memory: Promise<Fetch> | undefined;

const ESCAPES = [
  "/../main.ts",
  "/%2e%2e/main.ts",
  "/..%2fmain.ts",
  "/%2e%2e%2fmain.ts",
  "/..%5cmain.ts",
  "/static/../../main.ts",
  "/%252e%252e/main.ts",
  "/plain.txt/../../main.ts",
  "/%00",
  "/%E0%A4%A",
];

for (const path of ESCAPES) {
  test(`staticFiles() serves nothing outside its directory: ${path}`, async () => {
    const response = await fetch(path);
    assert.equal(response.status, 404);
    assert.doesNotMatch(await response.text(), /staticFiles\(\)/);
  });

  test(`staticFiles() of an in-memory build serves nothing outside its directory: ${path}`, async () => {
    const response = await silently(async () => (await (memory ??= buildInMemory()))(path));
    assert.notEqual(response.status, 200);
    assert.doesNotMatch(await response.text(), /staticFiles\(\)|secret/);
  });
}

test("a stylesheet refers to files of the current build", async () => {
  assert.ok((await (await fetch("/style.css")).text()).includes(`url("${asset("/plain.txt")}")`));
});

test("a build on disk serves pages and their scripts", async () => {
  const response = await fetch("/");
  assert.match(await response.text(), /<title>Islands<\/title>/);
  for (const [, address] of response.headers.get("Link")!.matchAll(/<([^>]+)>/g)) {
    const script = await fetch(address);
    assert.equal(script.status, 200);
    assert.match(script.headers.get("cache-control")!, /immutable/);
    await script.body?.cancel();
  }
});
