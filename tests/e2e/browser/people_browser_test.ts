import { test } from "node:test";
import assert from "node:assert/strict";
import { launchBrowser, screenshot, whyNoBrowser } from "../../support/browser/browser.ts";
import { lowContrasts } from "../../support/browser/contrast.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { RoomPage } from "../../support/browser/room_page.ts";

const skip = await whyNoBrowser();

test("an admin manages users without scripts, and their sockets end", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const grace = await app.signIn("grace");
  const socket = await app.open("/ws/echo", grace);
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(`${app.origin}/auth/signin?login_hint=ada`);
  await page.getByRole("link", { name: "People" }).click();
  await page.getByLabel("Search by username").fill("GRA");
  await page.getByRole("button", { name: "Search" }).click();
  assert.equal(await page.locator(".people-list > li").count(), 1);
  await page.getByRole("link", { name: /^Grace/ }).click();

  await page.getByLabel("Roles").fill("moderator room:lobby");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".user-head .tag", { hasText: "room:lobby" }).waitFor();
  await page.getByRole("button", { name: "Ban", exact: true }).click();
  await page.locator("[role=status]", { hasText: "is banned and signed out everywhere" }).waitFor();
  assert.equal((await socket.closed).code, 4401);
  await page.getByRole("button", { name: "Unban" }).click();
  await page.locator("[role=status]", { hasText: "can sign in again" }).waitFor();

  await page.getByText("Remove for good").click();
  await page.getByLabel(/to confirm/).fill("somebody else");
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.locator("[role=status]", { hasText: "The username didn't match" }).waitFor();
  await page.getByLabel(/to confirm/).fill("grace");
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.locator("[role=status]", { hasText: "The user was removed" }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^Grace/ }).count(), 0);
});

test(
  "the user pages fit into 320 pixels, and are readable in all colours",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const { users } = app.app.services;
    for (let n = 0; n < 30; n++) {
      const login = n === 0 ? "x".repeat(64) : `visitor-${n}`;
      const profile = { provider: "dev", subject: login, login, name: `Visitor ${login}` };
      const { id } = await users.save({ ...profile, avatarUrl: undefined });
      const bannedAt = n % 7 === 3 ? Date.now() : undefined;
      const roles = n % 5 === 0 ? ["moderator", `room:${"y".repeat(26)}`] : [];
      await users.update(id, (user) => ({ ...user, bannedAt, roles }));
    }
    const grace = await app.signIn("grace");
    using _socket = await app.open("/ws/echo", grace);
    const { id } = await (await grace.request("/api/me")).json();
    const { users: [long] } = await users.list({ login: "x".repeat(64) });
    const pages = [["people", ""], ["user", `/${id}`], ["long user", `/${long!.id}`]];
    for (const [width, colorScheme] of [[320, "light"], [1280, "light"], [1280, "dark"]] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 720 } });
      const view = new RoomPage(page);
      await page.goto(`${app.origin}/auth/signin?login_hint=ada`);
      for (const [name, path] of pages) {
        await page.goto(`${app.origin}/people${path}`);
        for (const summary of await page.locator("summary").all()) await summary.click();
        assert.equal(await view.overflow(), 0, `${name} in ${width}`);
        assert.deepEqual(await page.evaluate(lowContrasts, 4.5), [], `${name} in ${colorScheme}`);
        await screenshot(page, `people ${width} ${colorScheme} ${name}`);
      }
      assert.deepEqual(view.problems, []);
    }
  },
);
