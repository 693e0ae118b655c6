import assert from "node:assert/strict";
import { errorOverlay } from "../../compat/fresh/dev/error_overlay.ts";
import { emptySnapshot } from "../../compat/fresh/build/snapshot.ts";
import { buildInMemory, silently, standInTest as test } from "../support/compat/fresh_app.ts";

const root = import.meta.dirname!;

test("errorOverlay() shows the escaped message and the stack", () => {
  const html = errorOverlay(new Error("<img src=x onerror=alert(1)>"), emptySnapshot(root));
  assert.ok(!html.includes("<img"));
  assert.match(html, /<h1>Error: &lt;img src=x/);
  assert.match(html, /stand_in_dev_test\.ts:\d+:\d+/);
});

test("errorOverlay() accepts any thrown value", () => {
  assert.match(errorOverlay("just <text>", emptySnapshot(root)), /<h1>just &lt;text><\/h1>/);
  assert.match(errorOverlay(null, emptySnapshot(root)), /<h1>null<\/h1>/);
});

test("a page with an error shows the overlay in development", async () => {
  const fetch = await buildInMemory("development");
  const response = await fetch("/errors/unexpected");
  assert.equal(response.status, 500);
  const html = await response.text();
  assert.match(html, /<p id="error">unexpected/);
  assert.match(html, /fresh-error-overlay.*the password is hunter2/s);
  const nonces = [...html.matchAll(/<style nonce="([^"]+)"/g)].map(([, nonce]) => nonce);
  assert.equal(nonces.length, 2);
  assert.equal(new Set(nonces).size, 1);
});

test("a page with an HttpError below 500 has no overlay", async () => {
  const fetch = await buildInMemory("development");
  assert.doesNotMatch(await (await fetch("/errors/teapot")).text(), /fresh-error-overlay/);
});

test("each page reloads automatically in development", async () => {
  const fetch = await buildInMemory("development");
  const html = await (await fetch("/grouped")).text();
  const address = /import"([^"]+fresh-dev\.js)"/.exec(html)?.[1];
  assert.ok(address);
  assert.match(await (await fetch(address)).text(), /_frsh\/alive/);
});

test("an error without an error page shows the overlay only to browsers, only in development", async () => {
  const { App } = await import("../../compat/fresh/mod.ts");
  const { setSnapshot } = await import("../../compat/fresh/app.ts");
  const app = new App().get("/", () => {
    throw new Error("the password is hunter2");
  });
  const answer = async (dev: boolean, accept: string) => {
    setSnapshot(app, { ...emptySnapshot(root), dev });
    const req = new Request("http://localhost/", { headers: { accept } });
    const response = await silently(() => app.handler()(req));
    assert.equal(response.status, 500);
    return await response.text();
  };
  assert.match(await answer(true, "text/html"), /hunter2/);
  assert.equal(await answer(true, "*/*"), "Internal server error");
  assert.equal(await answer(false, "text/html"), "Internal server error");
});
