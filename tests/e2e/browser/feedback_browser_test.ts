import { test } from "node:test";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { launchBrowser, screenshot, whyNoBrowser } from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";

const skip = await whyNoBrowser();

/** Waits until a form's feedback has the focus, and returns its text. */
async function focusedWords(page: Page): Promise<string> {
  const message = page.locator("[role=status]:focus");
  await message.waitFor();
  return await message.innerText();
}

/** Submits a form with the keyboard on its button. */
async function press(page: Page, name: string): Promise<void> {
  const button = page.getByRole("main").getByRole("button", { name, exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`the result of a form has the focus, ${how}`, { skip }, async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const grace = await app.signIn("grace");
    const { id } = await (await grace.request("/api/me")).json();
    const page = await browser.newPage({ javaScriptEnabled });
    await page.goto(`${app.origin}/auth/signin?login_hint=ada`);

    await page.goto(`${app.origin}/people/${id}`);
    await page.getByLabel("Roles").fill("moder@tor");
    await press(page, "Save");
    assert.match(await focusedWords(page), /Nothing was saved/);
    assert.match(await page.title(), /^Error: Grace/);
    await page.getByText('"moder@tor" is not a valid role.').waitFor();
    await screenshot(page, `feedback roles ${how}`);
    await page.getByLabel("Roles").fill("moderator");
    await press(page, "Save");
    assert.match(await focusedWords(page), /^Roles saved/);
    assert.match(await page.title(), /^Grace/);
    await press(page, "Ban");
    assert.match(await focusedWords(page), /^Grace.* is banned and signed out everywhere\.$/);
    await press(page, "Unban");
    assert.match(await focusedWords(page), /can sign in again/);
    await press(page, "End all sessions");
    assert.match(await focusedWords(page), /signed out and disconnected/);
    await page.getByText("Remove for good").click();
    await page.getByLabel(/to confirm/).fill("somebody");
    await press(page, "Remove");
    assert.match(await focusedWords(page), /The username didn't match\. Nothing was removed\./);
    assert.match(await page.title(), /^Error: /);
    await page.getByLabel(/to confirm/).fill("grace");
    await press(page, "Remove");
    assert.match(await focusedWords(page), /removed and signed out/);
  });

  test(`the result of ending sessions has the focus, ${how}`, { skip }, async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    for (let n = 0; n < 3; n++) await app.signIn("ada");
    const page = await browser.newPage({ javaScriptEnabled });
    await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/sessions`);
    const others = page.getByRole("button", { name: /^Sign out Deno/ });
    await others.first().focus();
    await page.keyboard.press("Enter");
    assert.equal(await focusedWords(page), "The session was signed out and disconnected.");
    assert.equal(await others.count(), 2);
    await screenshot(page, `feedback sessions ${how}`);
    await press(page, "Sign out everywhere else");
    assert.equal(await focusedWords(page), "You are signed out everywhere else.");
    assert.equal(await others.count(), 0);
  });
}

test(
  "the title of every page that reports a failure starts with it",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const page = await browser.newPage();
    await page.goto(`${app.origin}/auth/signin?login_hint=ada`);
    const failing = ["/nothing", "/rooms?room=a.b", "/rooms/caf%C3%A9", "/auth/signout"];
    for (const path of [...failing, "/auth/callback/dev", "/device?user_code=BCDF-GHJK"]) {
      await page.goto(app.origin + path);
      assert.match(await page.title(), /^Error: .+ · Sluice$/, path);
    }
    for (const path of ["/", "/rooms", "/sessions", "/people", "/device"]) {
      await page.goto(app.origin + path);
      assert.doesNotMatch(await page.title(), /Error/, path);
    }
  },
);

test("an invalid room name leads to the form with that name in it", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/rooms/lobby`);
  await page.goto(`${app.origin}/rooms/caf%C3%A9`);
  await page.getByText("letters, numbers, hyphens or underscores").waitFor();
  await page.getByRole("link", { name: "Change the name" }).click();
  const field = page.getByLabel("Join or create a room");
  assert.equal(await field.inputValue(), "café");
  assert.ok(await field.evaluate((input) => input === document.activeElement));
});

test("the sign-out address opened in a browser shows a page, and signs no user out", {
  skip,
}, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(`${app.origin}/auth/signin?login_hint=ada`);
  const response = await page.goto(`${app.origin}/auth/signout`);
  assert.equal(response?.status(), 405);
  assert.equal(response?.headers()["allow"], "POST");
  await page.getByRole("heading", { name: "Method not allowed" }).waitFor();
  await page.getByRole("link", { name: "Home" }).click();
  await page.getByRole("heading", { name: "Hello, Ada" }).waitFor();
});

test("the focus stays in the list when a session ends elsewhere", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/sessions`);
  await page.locator("li", { hasText: "1 connection" }).waitFor();
  const elsewhere = await app.signIn("ada");
  const other = page.getByRole("button", { name: /^Sign out Deno/ });
  await other.focus();
  await elsewhere.request("/auth/signout", { method: "POST", headers: { origin: app.origin } });
  await other.waitFor({ state: "detached" });
  assert.ok(await page.locator(".sessions").evaluate((list) => list === document.activeElement));
});
