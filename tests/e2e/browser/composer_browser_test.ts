import { test } from "node:test";
import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import { launchBrowser, screenshot, whyNoBrowser } from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { RoomPage } from "../../support/browser/room_page.ts";

const skip = await whyNoBrowser();

/** Returns the text that describes a control to a screen reader. */
function descriptionOf(control: Locator): Promise<string> {
  return control.evaluate((element) => {
    const ids = element.getAttribute("aria-describedby")?.split(" ") ?? [];
    return ids.map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  });
}

/** Pastes text as Ctrl+V does. */
async function paste({ page, composer }: RoomPage, text: string): Promise<void> {
  await composer.focus();
  await page.keyboard.insertText(text);
}

test(
  "the composer keeps all pasted text, and blocks Send with the reason",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const ada = await RoomPage.enter(browser, app, "ada");
    const send = ada.page.getByRole("button", { name: "Send" });
    const text = "x".repeat(2_990) + " and the end";
    await paste(ada, text);
    assert.equal(await ada.composer.inputValue(), text);
    await ada.page.getByText("1,002 too many").waitFor();
    assert.equal(await send.getAttribute("aria-disabled"), "true");
    assert.match(await descriptionOf(send), /1,002 too many/);
    assert.equal(await ada.composer.getAttribute("aria-invalid"), "true");
    await screenshot(ada.page, "composer too long");

    await ada.composer.press("Enter");
    await send.click({ force: true });
    assert.equal(await ada.composer.inputValue(), text);
    assert.equal(await ada.log.getByRole("article").count(), 0);
    await ada.page.getByRole("status").getByText("Not sent: 1,002 too many").waitFor();

    await ada.composer.fill(text.slice(1_002));
    await ada.page.getByText("0 left").waitFor();
    await ada.composer.press("Enter");
    await ada.waitForMessage(text.slice(1_002));
    assert.equal(await ada.composer.getAttribute("aria-invalid"), null);
  },
);

test("the composer counts emoji as the server does", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  await paste(ada, "🙂".repeat(2_001));
  await ada.page.getByText("1 too many").waitFor();
  const text = "🙂".repeat(1_100);
  await ada.composer.fill(text);
  await ada.composer.press("Enter");
  await ada.waitForMessage(text);
});

test(
  "the composer counts only the text that would be sent, without white space at the ends",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const ada = await RoomPage.enter(browser, app, "ada");
    const text = "y".repeat(2_000);
    await ada.say(`\n ${text} \n\n`);
    await ada.waitForMessage(text);
  },
);

test("a draft is restored after a reload, and only in its room", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  const text = "half a thought\nof mine";
  await ada.composer.fill(text);
  await ada.page.reload();
  await ada.waitForState("live");
  assert.equal(await ada.composer.inputValue(), text);
  await ada.page.goto(`${app.origin}/rooms/help`);
  await ada.waitForState("live");
  assert.equal(await ada.composer.inputValue(), "");
  await ada.page.goBack();
  await ada.waitForState("live");
  assert.equal(await ada.composer.inputValue(), text);
  await ada.composer.press("Enter");
  await ada.waitForMessage(text);
  await ada.page.reload();
  await ada.waitForState("live");
  assert.equal(await ada.composer.inputValue(), "");
});

test(
  "a draft survives a sign-out in another tab, and no other user sees it",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const ada = await RoomPage.enter(browser, app, "ada");
    await ada.composer.fill("for Ada's eyes");
    const tab = await ada.newTab();
    await tab.goto(app.origin);
    await tab.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
    await ada.waitForState("signed-out");
    const signIn = (login: string) =>
      ada.page.goto(`${app.origin}/auth/signin?login_hint=${login}&return_to=/rooms/lobby`);
    await signIn("grace");
    await ada.waitForState("live");
    assert.equal(await ada.composer.inputValue(), "");
    assert.doesNotMatch(await ada.page.content(), /for Ada/);
    await signIn("ada");
    await ada.waitForState("live");
    assert.equal(await ada.composer.inputValue(), "for Ada's eyes");
  },
);

test("a message without a reply is restored after a reload", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  app.app.services.streamStore.append = () => new Promise(() => {});
  await ada.say("Did it arrive?");
  await ada.waitForMessage("Did it arrive?", "pending");
  await ada.page.reload();
  await ada.waitForState("live");
  await ada.message("Did it arrive?", "failed").getByText(/It may have been sent/).waitFor();
  await ada.page.getByRole("button", { name: "Discard" }).click();
  await ada.log.getByRole("article").waitFor({ state: "detached" });
  await ada.page.reload();
  await ada.waitForState("live");
  assert.equal(await ada.log.getByRole("article").count(), 0);
});

test("a room works if the tab's storage throws", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, "sessionStorage", {
      get() {
        throw new DOMException("Access is denied", "SecurityError");
      },
    });
  });
  const ada = new RoomPage(page);
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/rooms/lobby`);
  await ada.waitForState("live");
  await ada.say("without storage");
  await ada.waitForMessage("without storage");
  assert.deepEqual(ada.problems, []);
});

test("text that was typed before the scripts ran is kept", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  const ada = new RoomPage(page);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  await page.route(/\/_fresh\/js\//, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/rooms/lobby`, {
    waitUntil: "commit",
  });
  await ada.composer.fill("typed early");
  letGo();
  await ada.waitForState("live");
  await ada.composer.press("Enter");
  await ada.waitForMessage("typed early");
});

test("a message that cannot be sent yet stays, with the reason", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  await ada.page.context().setOffline(true);
  app.app.services.realtime.endAll(1013, "retry=600000");
  await ada.waitForState("reconnecting");
  await ada.say("later");
  assert.equal(await ada.composer.inputValue(), "later");
  await ada.page.getByRole("status").getByText("Not sent: Waiting for the connection").waitFor();
  const send = ada.page.getByRole("button", { name: "Send" });
  assert.match(await descriptionOf(send), /Waiting for the connection/);
});
