import { test } from "node:test";
import assert from "node:assert/strict";
import { launchBrowser, whyNoBrowser } from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";

const skip = await whyNoBrowser();

test("the sessions page shows new sign-ins, sockets and ends by itself", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/sessions`);
  const rows = page.locator(".session-list > li");
  await rows.filter({ hasText: "1 connection" }).waitFor();
  assert.equal(await rows.count(), 1);

  const elsewhere = await app.signIn("ada");
  await rows.nth(1).waitFor();
  const socket = await app.open("/ws/echo", elsewhere);
  await rows.nth(1).filter({ hasText: "1 connection" }).waitFor();
  await rows.nth(1).getByRole("button").click();
  assert.equal((await socket.closed).code, 4401);
  await page.waitForFunction(() => document.querySelectorAll(".session-list > li").length === 1);
  assert.equal((await elsewhere.request("/api/me")).status, 401);
});

test("a sessions page whose own session is ended asks to sign in again", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/sessions`);
  await page.locator("li", { hasText: "1 connection" }).waitFor();
  const elsewhere = await app.signIn("ada");
  await elsewhere.request("/api/sessions", {
    method: "DELETE",
    headers: { origin: app.origin },
  });
  await page.waitForURL("**/signin?return_to=*");
});

test("the sessions page never shows another user's sign-ins and sockets", { skip }, async () => {
  await using app = await LiveApp.start();
  using ada = await app.open("/ws/sessions", await app.signIn("ada"));
  await ada.frame("sessions");
  using _grace = await app.open("/ws/echo", await app.signIn("grace"));
  const own = await app.signIn("ada");
  using _socket = await app.open("/ws/echo", own);
  const { data } = await ada.frame("sessions");
  assert.ok((data as { sessions: unknown[] }).sessions.length <= 2);
  assert.doesNotMatch(JSON.stringify(data), /grace/);
});
