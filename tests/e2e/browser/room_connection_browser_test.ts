import { test } from "node:test";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { launchBrowser, screenshot, whyNoBrowser } from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { RoomPage } from "../../support/browser/room_page.ts";

const skip = await whyNoBrowser();

/** Refuses every socket of a page before it opens, as a gate does. */
async function refuseSockets(page: Page): Promise<void> {
  await page.addInitScript(() => {
    class RefusedSocket extends EventTarget {
      readyState = 3;
      constructor() {
        super();
        setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: 1006 })));
      }
      close() {}
    }
    Object.assign(globalThis, { WebSocket: RefusedSocket });
  });
}

/** Returns the page's text for a first connection with this refusal. */
const FIRST_REFUSALS = [
  { code: "TOO_MANY_SOCKETS", status: 429, words: /^Can't connect yet\..*too many windows open/ },
  { code: "TOO_MANY_ATTEMPTS", status: 429, words: /^Can't connect yet\. Too many attempts/ },
  { code: "UNAVAILABLE", status: 503, words: /^Can't connect yet\..*temporarily unavailable/ },
  { code: "DRAINING", status: 503, words: /^Can't connect yet\..*restarting/ },
  { code: undefined, status: 0, words: /^Can't connect yet\. The server can't be reached/ },
  { code: "FORBIDDEN", status: 403, words: /^You don't have access to this room/ },
  { code: "NO_CONSUMER", status: 404, words: /^This room doesn't exist/ },
] as const;

test("a room whose first connection is refused shows the reason", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await refuseSockets(page);
  await page.goto(`${app.origin}/auth/signin?login_hint=ada`);
  let refusal: typeof FIRST_REFUSALS[number] = FIRST_REFUSALS[0];
  await page.route("**/ws/chat/**", async (route) => {
    const { code, status } = refusal;
    if (code === undefined) return await route.abort();
    const body = JSON.stringify({ type: "about:blank", status, code });
    await route.fulfill({ status, contentType: "application/problem+json", body });
  });
  for (refusal of FIRST_REFUSALS) {
    await page.goto(`${app.origin}/rooms/lobby`);
    await page.getByRole("status").getByText(refusal.words).waitFor();
    const text = await page.getByRole("main").innerText();
    assert.doesNotMatch(text, /No messages yet|lost/i, refusal.code ?? "no answer");
    await screenshot(page, `first connection ${refusal.code ?? "no answer"}`);
  }
});

test("an empty room says that it is empty only after it was entered", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  await ada.log.getByText("No messages yet").waitFor();
  const html = await (await ada.page.request.get(`${app.origin}/rooms/lobby`)).text();
  assert.doesNotMatch(html, /No messages yet/);
});

test("a message without a reply on a live connection blames the server", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.clock.install();
  const ada = new RoomPage(page);
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/rooms/lobby`);
  await ada.waitForState("live");
  app.app.services.layer.groupSend = () => new Promise(() => {});
  await ada.say("Anybody there?");
  await ada.waitForMessage("Anybody there?", "pending");
  await page.clock.fastForward(20_500);
  await ada.message("Anybody there?", "failed")
    .getByText("No answer from the server. It may have been sent.").waitFor();
  assert.doesNotMatch(await page.getByRole("main").innerText(), /connection was lost/i);
});

test("the focus moves from Try now to the composer when the connection returns", {
  skip,
}, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  await ada.page.clock.install();
  app.app.services.realtime.endAll(1012, "retry=4000");
  const retry = ada.page.getByRole("button", { name: "Try now" });
  await retry.focus();
  await ada.waitForState("live");
  await retry.waitFor({ state: "detached" });
  assert.ok(await ada.composer.evaluate((input) => input === document.activeElement));
});

test("the focus does not move when the connection returns", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  await ada.log.focus();
  app.app.services.realtime.endAll(1012, "retry=500");
  await ada.waitForState("reconnecting");
  await ada.waitForState("live");
  assert.ok(await ada.log.evaluate((log) => log === document.activeElement));
});

test("the status is written once while the page waits for the next attempt", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  app.app.services.realtime.endAll(1013, "retry=600000");
  await ada.waitForState("reconnecting");
  const countdown = ada.page.locator(".countdown");
  await countdown.waitFor();
  const writes = await ada.page.evaluate(async () => {
    let count = 0;
    const observer = new MutationObserver((records) => count += records.length);
    const status = document.querySelector(".connection-words")!;
    observer.observe(status, { childList: true, characterData: true, subtree: true });
    const words = document.querySelector(".countdown")!;
    for (let changes = 0, last = words.textContent; changes < 2;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (words.textContent !== last) changes++;
      last = words.textContent;
    }
    return count;
  });
  assert.equal(writes, 0);
});
