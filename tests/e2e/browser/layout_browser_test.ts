import { test } from "node:test";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import {
  launchBrowser,
  screenshot,
  type TestBrowser,
  whyNoBrowser,
} from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { PUBLIC_PATHS, USER_PATHS } from "../../support/browser/page_paths.ts";

const skip = await whyNoBrowser();

const WIDTHS = [320, 360, 375, 390, 414];

/** Style rules that stand for other fonts: the installed ones, wider letters, and text of twice the size. */
const FONTS: Readonly<Record<string, string>> = {
  default: "",
  DejaVu: '* { font-family: "DejaVu Sans", sans-serif !important }',
  Liberation: '* { font-family: "Liberation Sans", Arial, sans-serif !important }',
  serif: "* { font-family: serif !important }",
  monospace: "* { font-family: monospace !important }",
  spaced: "* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }",
  "200 %": "html { font-size: 200% !important }",
};

/** Returns, for each font, by how much the page is wider than its window. Runs in the page. */
function overflows(fonts: Readonly<Record<string, string>>): Record<string, number> {
  const style = document.head.appendChild(document.createElement("style"));
  const found: Record<string, number> = {};
  for (const [name, rule] of Object.entries(fonts)) {
    style.textContent = rule;
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found[name] = scrollWidth - clientWidth;
  }
  style.remove();
  return found;
}

async function checkAll(page: Page, origin: string, paths: readonly string[], who: string) {
  for (const path of paths) {
    await page.goto(origin + path);
    for (const summary of await page.locator("summary").all()) await summary.click();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 740 });
      assert.deepEqual(await page.evaluate(overflows, FONTS), {}, `${path}, ${width} px, ${who}`);
    }
    await screenshot(page, `414 ${who} ${path}`);
  }
}

/** Opens a window whose pages accept style rules of the test, and signs in as a user. */
async function openWindow(browser: TestBrowser, { origin }: LiveApp, login?: string) {
  const page = await browser.newPage({ bypassCSP: true });
  if (login) await page.goto(`${origin}/auth/signin?provider=dev&login_hint=${login}`);
  return page;
}

test("no page scrolls sideways at 320 pixels or more, in any font", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const { users } = app.app.services;
  const login = "x".repeat(64);
  const profile = { provider: "dev", subject: login, login, name: `Visitor ${login}` };
  const { id } = await users.save({ ...profile, avatarUrl: undefined });
  const roles = ["moderator", `room:${"y".repeat(26)}`];
  await users.update(id, (user) => ({ ...user, bannedAt: Date.now(), roles }));

  await checkAll(await openWindow(browser, app), app.origin, PUBLIC_PATHS, "signed out");
  await checkAll(await openWindow(browser, app, "grace"), app.origin, USER_PATHS, "user");
  const ofAdmins = [...USER_PATHS, "/people", `/people/${id}?done=banned`];
  await checkAll(await openWindow(browser, app, "ada"), app.origin, ofAdmins, "admin");
});

test("all links and buttons of the header are inside the window", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await openWindow(browser, app, "ada");
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 740 });
    for (const name of ["Rooms", "Sessions", "People", "Sign out"]) {
      const control = page.getByRole("banner").getByRole(name === "Sign out" ? "button" : "link", {
        name,
      });
      const box = await control.boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= width, `${name}, ${width} px`);
    }
  }
});

test("no page makes the browser request a missing file", { skip }, async () => {
  await using app = await LiveApp.start();
  await using browser = await launchBrowser();
  const page = await openWindow(browser, app, "ada");
  const missing: string[] = [];
  page.on("response", (response) => {
    if (response.status() === 404 && !response.request().isNavigationRequest()) {
      missing.push(response.url());
    }
  });
  for (const path of [...USER_PATHS, "/api/me", "/metrics"]) await page.goto(app.origin + path);
  assert.deepEqual(missing, []);
  const icon = await page.request.get(`${app.origin}/favicon.ico`);
  assert.equal(icon.status(), 200);
  assert.match(icon.headers()["content-type"] ?? "", /^image\//);
});
