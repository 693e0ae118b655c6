import { test } from "node:test";
import assert from "node:assert/strict";
import { FrameError } from "@sluice/sluice/protocol";
import { launchBrowser, screenshot, whyNoBrowser } from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { RoomPage } from "../../support/browser/room_page.ts";

const skip = await whyNoBrowser();

/** Holds back the messages in an app's rooms until they are released. */
function holdMessages({ app }: LiveApp) {
  const { streamStore } = app.services;
  const append = streamStore.append.bind(streamStore);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  streamStore.append = async (...args) => {
    await promise;
    return await append(...args);
  };
  return {
    letGo: resolve,
    fail() {
      streamStore.append = append;
      reject(new FrameError("FORBIDDEN", "not in this room"));
    },
  };
}

/** Sends messages to the lobby as a user without a window. */
async function sayAsNobody({ app }: LiveApp, text: string): Promise<void> {
  const user = { id: "nobody", login: "nobody", name: "Nobody", avatarUrl: "" };
  const data = { id: crypto.randomUUID(), text, user, at: new Date().toISOString() };
  await app.services.layer.groupSend("chat.lobby", { type: "said", data });
}

test(
  "a user signs in on the development provider's page and enters the room",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const view = new RoomPage(await browser.newPage());
    await view.page.goto(`${app.origin}/rooms/lobby`);
    assert.equal(new URL(view.page.url()).pathname, "/signin");
    await view.page.getByRole("main").getByRole("link", { name: "Continue as a test user" })
      .click();
    await view.page.getByRole("button", { name: /Ada/ }).click();
    await view.waitForState("live");
    assert.equal(new URL(view.page.url()).pathname, "/rooms/lobby");
    assert.equal(await view.page.title(), "lobby · Sluice");
    assert.deepEqual(view.problems, []);
  },
);

test("two users in a room see each other and each other's messages", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  await ada.waitForPeople(1);
  const grace = await RoomPage.enter(browser, app, "grace");
  await Promise.all([ada.waitForPeople(2), grace.waitForPeople(2)]);
  await ada.say("Hello, Grace");
  await grace.waitForMessage("Hello, Grace");
  await grace.say("Hello, Ada\nhow are you?");
  await ada.waitForMessage("Hello, Ada\nhow are you?");
  await screenshot(ada.page, "room");
  await grace.page.close();
  await ada.waitForPeople(1);
  assert.deepEqual([...ada.problems, ...grace.problems], []);
});

test("a message with markup is shown as text", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  const grace = await RoomPage.enter(browser, app, "grace");
  const text = '</script><img src=x onerror="document.title = 1"><b>bold</b> javascript:alert(1)';
  await ada.say(text);
  for (const view of [ada, grace]) {
    await view.waitForMessage(text);
    assert.equal(await view.log.locator("img, b, a, script").count(), 0);
    assert.equal(await view.page.title(), "lobby · Sluice");
  }
});

test(
  "your own message is shown at once, and marked until the server confirms it",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const ada = await RoomPage.enter(browser, app, "ada");
    const grace = await RoomPage.enter(browser, app, "grace");
    await ada.waitForPeople(2);
    const held = holdMessages(app);
    await ada.say("On its way");
    await ada.waitForMessage("On its way", "pending");
    assert.equal(await ada.composer.inputValue(), "");
    held.letGo();
    await ada.waitForMessage("On its way", "sent");
    await grace.waitForMessage("On its way");
    assert.equal(await ada.log.getByRole("article").count(), 1);
  },
);

test(
  "a failed message shows the reason, keeps its text, and can be sent again",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const ada = await RoomPage.enter(browser, app, "ada");
    const held = holdMessages(app);
    await ada.say("Once more");
    await ada.waitForMessage("Once more", "pending");
    held.fail();
    await ada.waitForMessage("Once more", "failed");
    await ada.message("Once more", "failed").getByText(/^Not sent: you can't send this here/)
      .waitFor();
    await ada.page.getByRole("button", { name: "Send again" }).click();
    await ada.waitForMessage("Once more", "sent");
    assert.ok(await ada.composer.evaluate((input) => input === document.activeElement));
    assert.equal(await ada.log.getByRole("article").count(), 1);
  },
);

test("a sign-out in one tab ends the room in another, with a reason", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const grace = await RoomPage.enter(browser, app, "grace");
  const ada = await RoomPage.enter(browser, app, "ada");
  await grace.waitForPeople(2);
  const tab = await ada.newTab();
  await tab.goto(app.origin);
  await tab.getByRole("button", { name: "Sign out" }).click();
  await ada.waitForState("signed-out");
  await grace.waitForPeople(1);
  await ada.composer.fill("still typing");
  await ada.composer.press("Enter");
  assert.equal(await ada.composer.inputValue(), "still typing");
  const link = ada.page.getByRole("main").getByRole("link", { name: "Sign in" });
  assert.equal(await link.getAttribute("href"), "/signin?return_to=/rooms/lobby");
});

test("a room reconnects by itself after a network outage, and shows the messages sent meanwhile", {
  skip,
}, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  const grace = await RoomPage.enter(browser, app, "grace");
  await ada.page.context().setOffline(true);
  await ada.page.getByRole("status").getByText(/Reconnecting… You are offline\.$/).waitFor();
  await ada.composer.fill("written while away");
  await grace.say("Is anybody here?");
  await grace.waitForMessage("Is anybody here?");
  await grace.page.close();
  await ada.page.context().setOffline(false);
  await ada.waitForState("live");
  await ada.log.getByText("While you were away: 1 message").waitFor();
  await ada.waitForMessage("Is anybody here?");
  // Screen readers announce how many were missed, and do not read all of them.
  assert.equal(await ada.message("Is anybody here?").getAttribute("aria-live"), "off");
  await ada.waitForPeople(1);
  await ada.composer.press("Enter");
  await ada.waitForMessage("written while away");
  assert.equal(await ada.message("written while away").getAttribute("aria-live"), null);
  // Another tab of the user, and this one after a reload, show each message once and no absence.
  const tab = new RoomPage(await ada.newTab());
  await Promise.all([ada.page.reload(), tab.page.goto(ada.page.url())]);
  await Promise.all([ada.waitForState("live"), tab.waitForState("live")]);
  await tab.say("from the other tab");
  for (const view of [ada, tab]) {
    await view.waitForMessage("from the other tab");
    const shown = await view.log.locator(".text, .notice").allInnerTexts();
    assert.deepEqual(shown, ["Is anybody here?", "written while away", "from the other tab"]);
  }
  assert.equal(await ada.people.count(), 1);
});

test("a room reconnects after a server restart", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  app.app.services.realtime.endAll(1012, "restart retry=500");
  await ada.waitForState("reconnecting");
  await ada.waitForState("live");
});

test(
  "a room shows that a user has lost access, and does not reconnect",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const ada = await RoomPage.enter(browser, app, "ada");
    app.app.services.realtime.endAll(4403, "");
    await ada.waitForState("refused");
    await ada.page.getByRole("status").getByText("You no longer have access to this room.")
      .waitFor();
  },
);

test("the message list follows its end unless the user has scrolled up", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  const distance = () =>
    ada.log.evaluate((list) => list.scrollHeight - list.scrollTop - list.clientHeight);
  for (let n = 1; n <= 60; n++) await sayAsNobody(app, `line ${n}`);
  await ada.waitForMessage("line 60");
  assert.ok(await distance() < 2);
  await ada.log.evaluate((list) => list.scrollTop = 0);
  await ada.page.evaluate(() => new Promise(requestAnimationFrame));
  await sayAsNobody(app, "further down");
  await ada.page.getByRole("button", { name: /^1 new message/ }).click();
  assert.ok(await distance() < 2);
  assert.equal(await ada.page.getByRole("button", { name: /new message/ }).count(), 0);
  assert.ok(await ada.composer.evaluate((input) => input === document.activeElement));
});

test("a room can be used with the keyboard alone", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  const { keyboard } = ada.page;
  await keyboard.press("Tab");
  assert.equal(await ada.page.locator(":focus").innerText(), "Skip to content");
  await keyboard.press("Enter");
  for (let n = 0; n < 5 && await ada.page.locator("textarea:focus").count() === 0; n++) {
    await keyboard.press("Tab");
  }
  await keyboard.type("first");
  await keyboard.press("Shift+Enter");
  await keyboard.type("second");
  await keyboard.press("Enter");
  await ada.waitForMessage("first\nsecond");
  await keyboard.type("with the button");
  await keyboard.press("Tab");
  await keyboard.press("Space");
  await ada.waitForMessage("with the button");
  assert.ok(await ada.composer.evaluate((input) => input === document.activeElement));
});

test("Enter that ends the composition of a character sends nothing", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  await ada.composer.fill("にほん");
  await ada.composer.dispatchEvent("keydown", { key: "Enter", isComposing: true });
  await ada.composer.dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
  assert.equal(await ada.composer.inputValue(), "にほん");
  assert.equal(await ada.log.getByRole("article").count(), 0);
});

test("a room fits on a phone that is 320 pixels wide", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const viewport = { width: 320, height: 560 };
  const ada = await RoomPage.enter(browser, app, "ada", { viewport, room: "r".repeat(64) });
  await ada.say("w".repeat(300));
  await ada.waitForMessage("w".repeat(300));
  assert.equal(await ada.overflow(), 0);
  assert.ok(await ada.log.evaluate((list) => list.scrollWidth <= list.clientWidth));
  const box = await ada.page.getByRole("button", { name: "Send" }).boundingBox();
  assert.ok(box!.x + box!.width <= 320 && box!.y + box!.height <= 560);
  await screenshot(ada.page, "room-320");
});

test("a room without scripts shows the last messages, and says that it needs them", {
  skip,
}, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const user = { id: "nobody", login: "nobody", name: "Nobody", avatarUrl: "" };
  const data = { id: "m1", text: "Hello", user, at: new Date().toISOString() };
  await app.app.services.streamStore.append("chat.lobby", { type: "said", data });
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/rooms/lobby`);
  await page.getByText(/needs JavaScript/).waitFor();
  await page.getByText("Hello").waitFor();
  assert.equal(await page.getByRole("textbox").count(), 0);
});

test(
  "a room shows its history after a reload, and loads more on scrolling up",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const { streamStore } = app.app.services;
    const user = { id: "nobody", login: "nobody", name: "Nobody", avatarUrl: "" };
    for (let number = 1; number <= 120; number++) {
      const data = { id: `m${number}`, text: `Line ${number}`, user, at: new Date().toISOString() };
      await streamStore.append("chat.lobby", { type: "said", data });
    }
    const ada = await RoomPage.enter(browser, app, "ada");
    await ada.say("Good morning");
    await ada.waitForMessage("Good morning");
    await ada.page.reload();
    await ada.waitForState("live");
    await ada.waitForMessage("Good morning");
    assert.equal(await ada.message("Line 60").count(), 0);
    await ada.log.evaluate((log) => log.scrollTop = 0);
    await ada.waitForMessage("Line 60");
    // The message that was in view stays in view.
    assert.ok(await ada.log.evaluate((log) => log.scrollTop) > 200);
    await ada.page.getByRole("button", { name: "Show older messages" }).press("Enter");
    await ada.waitForMessage("Line 1");
    await ada.page.getByRole("button", { name: "Show older messages" }).waitFor({
      state: "detached",
    });
    assert.equal(await ada.message("Line 60").count(), 1);
    // The user goes on reading in the list, and hears how many messages came.
    assert.ok(await ada.log.evaluate((log) => log === document.activeElement));
    const words = await ada.log.getByRole("status").textContent();
    assert.match(words!, /^\d+ older messages? loaded$/);
    assert.deepEqual(ada.problems, []);
  },
);

test("a message whose reply was lost with the page is sent once", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const ada = await RoomPage.enter(browser, app, "ada");
  const held = holdMessages(app);
  await ada.say("Only once");
  await ada.waitForMessage("Only once", "pending");
  await ada.page.reload();
  held.letGo();
  await ada.waitForMessage("Only once", "sent");
  await ada.page.reload();
  await ada.waitForState("live");
  assert.equal(await ada.page.getByText("Only once", { exact: true }).count(), 1);
  assert.equal((await app.app.services.streamStore.state("chat.lobby")).offset, 1);
});
