import { test } from "node:test";
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { launchBrowser, screenshot, whyNoBrowser } from "../../support/browser/browser.ts";
import { lowContrasts } from "../../support/browser/contrast.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { RoomPage } from "../../support/browser/room_page.ts";

const skip = await whyNoBrowser();

/** Maximum size of a room's scripts, compressed: 0.6 KB of it are the hooks of the client. */
const SCRIPT_BUDGET_BYTES = 25_100;

const PATHS = ["/", "/rooms", "/rooms/lobby", "/sessions", "/people", "/nothing"];

/** Opens every page, signed out and signed in, in a window with the given options. */
async function visitAll(page: Page, origin: string, check: (path: string) => Promise<void>) {
  for (const path of ["/", "/signin"]) {
    await page.goto(origin + path);
    await check(`${path} (signed out)`);
  }
  await page.goto(`${origin}/auth/signin?login_hint=ada`);
  for (const path of PATHS) {
    await page.goto(origin + path);
    await check(path);
  }
}

test("the scripts of a room stay small, and nothing loads from other sites", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  const scripts: Promise<number>[] = [];
  const elsewhere: string[] = [];
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (url.origin !== app.origin) elsewhere.push(url.href);
    if (!response.headers()["content-type"]?.includes("javascript")) return;
    scripts.push(response.body().then((body) => gzipSync(body).length));
  });
  const view = new RoomPage(page);
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/rooms/lobby`);
  await view.waitForState("live");
  const total = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0);
  assert.ok(total > 0 && total < SCRIPT_BUDGET_BYTES, `${total} bytes of scripts`);
  assert.deepEqual(elsewhere, []);
});

test("pages without live content load no scripts", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await visitAll(page, app.origin, async (path) => {
    if (path === "/rooms/lobby" || path === "/sessions") return;
    assert.equal(await page.locator("script").count(), 0, path);
  });
});

test(
  "every page has landmarks, one main heading, and a name for every control",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const page = await browser.newPage();
    await visitAll(page, app.origin, async (path) => {
      for (const role of ["banner", "main", "navigation"] as const) {
        assert.equal(await page.getByRole(role).count(), 1, `${path}: ${role}`);
      }
      assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, path);
      const snapshot = await page.locator("body").ariaSnapshot();
      assert.doesNotMatch(
        snapshot,
        /^\s*- (link|button|textbox|img)(:|$| \[)/m,
        `${path}: no name`,
      );
      assert.equal(
        await page.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count(),
        0,
      );
      const ids = await page.locator("[id]").evaluateAll((all) => all.map(({ id }) => id));
      assert.equal(new Set(ids).size, ids.length, `${path}: ids`);
    });
  },
);

for (const colorScheme of ["light", "dark"] as const) {
  test(
    `text has enough contrast in ${colorScheme} colours (WCAG AA)`,
    { skip },
    async () => {
      await using app = await LiveApp.start();
      await using browser = await launchBrowser();
      const page = await browser.newPage({ colorScheme });
      await visitAll(page, app.origin, async (path) => {
        assert.deepEqual(await page.evaluate(lowContrasts, 4.5), [], path);
        await screenshot(page, `${colorScheme} ${path}`);
      });
    },
  );
}

test("all forms work without scripts", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(`${app.origin}/auth/signin?login_hint=ada`);
  await page.getByLabel("Join or create a room").fill("team-7");
  await page.getByRole("button", { name: "Join" }).click();
  assert.equal(new URL(page.url()).pathname, "/rooms/team-7");
  await page.getByRole("link", { name: "Sessions" }).click();
  await page.getByRole("banner").getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("main").getByRole("link", { name: "Continue as a test user" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/");
});

test("a session that is ended from another window closes its room", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const room = await RoomPage.enter(browser, app, "ada");
  const page = await browser.newPage();
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/sessions`);
  const end = page.getByRole("button", { name: /^Sign out .* on / });
  await page.locator("li", { has: end, hasText: "1 connection" }).waitFor();
  await end.click();
  await room.waitForState("signed-out");
  await end.waitFor({ state: "detached" });
});
