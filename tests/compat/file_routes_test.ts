import assert from "node:assert/strict";
import { test } from "node:test";
import { buildInMemory, silently } from "../support/compat/fresh_app.ts";

const fetch = await buildInMemory();

async function text(path: string): Promise<string> {
  return await (await fetch(path)).text();
}

const ROUTES: [file: string, path: string, answer: string][] = [
  ["order/index.ts", "/order", "index"],
  ["order/fixed.ts", "/order/fixed", "fixed"],
  ["order/[slug].ts", "/order/other", "[slug]"],
  ["order/[...rest].ts", "/order/more/than/one", "[...rest]"],
  ["optional/[[page]].ts", "/optional", 'page ""'],
  ["optional/[[page]].ts", "/optional/2", 'page "2"'],
  ["rest/[...path].ts", "/rest/a/b", 'rest "a/b"'],
  ["rest/[...path].ts", "/rest/a%20b", 'rest "a b"'],
  ["dates/[year]-[month].ts", "/dates/2026-11", '{"year":"2026","month":"11"}'],
  ["override.ts", "/overridden/name", "override name"],
];

for (const [file, path, answer] of ROUTES) {
  test(`routes/${file} answers ${path}`, async () => {
    assert.equal(await text(path), answer);
  });
}

test("a route registered before fsRoutes() takes precedence over files", async () => {
  assert.equal(await text("/order/first"), "registered before the files");
});

test("a route file gets its parameters and its pattern", async () => {
  assert.deepEqual(JSON.parse(await text("/params/7")), {
    id: "7",
    route: "/params/:id",
    isPartial: false,
  });
});

test("a route with routeOverride does not answer at the path of its file", async () => {
  assert.equal((await fetch("/override")).status, 404);
});

test("test files, components and islands are not routes", async () => {
  for (const path of ["/ignored_test", "/local/Box", "/local/(_components)/Box", "/local/Local"]) {
    assert.equal((await fetch(path)).status, 404);
  }
});

test("_middleware files run from the outside in, for routes below them", async () => {
  const order = async (path: string) => (await fetch(path)).headers.get("x-order");
  assert.equal(await order("/params/1"), "root second");
  assert.equal(await order("/nested/deep/page"), "root second deep");
  assert.equal(await order("/nested"), "root second");
});

test("a (group) folder is not part of the URL, but has a layout and middlewares", async () => {
  const response = await fetch("/grouped");
  assert.equal(response.headers.get("x-order"), "root second group");
  assert.match(await response.text(), /<div class="group"><p id="grouped">/);
  assert.equal((await fetch("/(group)/grouped")).status, 404);
});

test("_layout files surround pages from the outside in", async () => {
  const html = await text("/nested/deep/page");
  assert.match(html, /<div class="nested"><div class="deep"><p id="page">/);
  assert.match(await text("/nested"), /<div class="nested"><p id="index">/);
});

test("a page can skip layouts and the app wrapper", async () => {
  const alone = await text("/nested/deep/alone");
  assert.match(alone, /<\/nav><p id="alone">/);
  const bare = await text("/nested/deep/bare");
  assert.match(bare, /<body><p id="bare">/);
});

test("_app gets the state that middlewares set", async () => {
  assert.match(await text("/nested/deep/page"), /data-order="root second deep"/);
});

test("a handler's data, status and headers reach the page", async () => {
  const response = await fetch("/with_data");
  assert.equal(response.status, 203);
  assert.equal(response.headers.get("x-page"), "yes");
  assert.match(await response.text(), /<p id="data">data<\/p>/);
});

test("a route file answers with the handler of the method", async () => {
  const response = await fetch("/with_data", { method: "POST", body: "this" });
  assert.equal(await response.text(), "posted this");
});

test("a route file answers HEAD like GET", async () => {
  const response = await fetch("/with_data", { method: "HEAD" });
  assert.equal(response.status, 203);
  assert.equal(await response.text(), "");
});

test("a route file without a handler for a method answers 404", async () => {
  assert.equal((await fetch("/with_data", { method: "DELETE" })).status, 404);
});

test("a route with routeOverride answers 405 for a method without a handler", async () => {
  assert.equal((await fetch("/overridden/name", { method: "DELETE" })).status, 405);
});

test("a page may be async and return a response", async () => {
  assert.match(await text("/async"), /<p id="async">awaited<\/p>/);
  assert.equal((await fetch("/async?away")).status, 202);
});

test("_404 answers unknown paths and thrown 404s, inside the app wrapper", async () => {
  for (const path of ["/unknown/path", "/errors/missing"]) {
    const response = await fetch(path);
    assert.equal(response.status, 404);
    assert.match(await response.text(), new RegExp(`</nav><p id="not-found">nothing at ${path}`));
  }
});

test("_error handles errors thrown below it, with the error's status", async () => {
  const teapot = await fetch("/errors/teapot");
  assert.equal(teapot.status, 418);
  assert.match(await teapot.text(), /<p id="error">418/);
  const unexpected = await fetch("/errors/unexpected");
  assert.equal(unexpected.status, 500);
  const html = await unexpected.text();
  assert.match(html, /<p id="error">unexpected/);
  assert.doesNotMatch(html, /hunter2/);
});

test("the innermost _error handles an error", async () => {
  const response = await fetch("/errors/inner/thrown");
  assert.equal(response.status, 409);
  assert.match(await response.text(), /<p id="inner-error">HttpError: twice/);
});

test("an error page runs the middlewares above its folder, but not its own", async () => {
  const inner = await fetch("/errors/inner/thrown");
  assert.equal(inner.headers.get("x-order"), "root second");
  const root = await fetch("/errors/teapot");
  assert.equal(root.headers.get("x-order"), null);
});

test("a page escapes values from the URL", async () => {
  const html = await text(`/escape?text=${encodeURIComponent('"><script>alert(1)</script>')}`);
  assert.ok(!html.includes("<script>alert"));
  assert.match(html, /title="&quot;>?(&gt;)?&lt;script/);
});

test("an island's data cannot close its script", async () => {
  const html = await text("/data");
  assert.equal(html.match(/<\/script/g)?.length, html.match(/<script type=/g)?.length);
  const script = html.slice(html.indexOf("<script"));
  assert.ok(!script.includes("<!--"));
});

test("a page with islands lists its scripts, and other pages have none", async () => {
  const home = await fetch("/");
  const html = await home.text();
  const nonce = /<script type="module" nonce="([^"]+)"/.exec(html)?.[1];
  assert.ok(nonce);
  assert.ok(home.headers.get("Content-Security-Policy")?.includes(`'nonce-${nonce}'`));
  assert.match(home.headers.get("Link") ?? "", /rel="modulepreload"/);
  const plain = await fetch("/grouped");
  assert.doesNotMatch(await plain.text(), /<script/);
  assert.equal(plain.headers.get("Link"), null);
});

test("the scripts of a page are served as JavaScript", async () => {
  const scripts = [...(await fetch("/")).headers.get("Link")!.matchAll(/<([^>]+)>/g)];
  assert.ok(scripts.length >= 3);
  for (const [, address] of scripts) {
    const response = await fetch(address);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type")!, /^text\/javascript/);
    assert.match(response.headers.get("cache-control")!, /immutable/);
  }
});

test("an island's children are rendered before any script runs", async () => {
  const html = await text("/");
  assert.match(html, /<p id="passed">passed <b>through<\/b><\/p>/);
  assert.match(html, /<template[^>]*><p id="hidden">hidden<\/p>/);
});

test("an island in a page's folder is rendered", async () => {
  assert.match(await text("/local"), /<div class="box">.*<p id="local">server/);
});

test("a function cannot be passed to an island", async () => {
  const { Counter } = await import("../support/compat/fixture/islands/Counter.tsx");
  const { app } = await import("../support/compat/fixture/main.ts");
  const { h } = await import("preact");
  app.get("/late", (ctx) => ctx.render(h(Counter, { id: "late", count: (() => {}) as never })));
  const response = await silently(() => app.handler()(new Request("http://localhost/late")));
  assert.equal(response.status, 500);
});
