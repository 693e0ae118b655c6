import { test } from "node:test";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { launchBrowser, type TestBrowser, whyNoBrowser } from "../support/browser/browser.ts";
import { PageReplay } from "../support/examples/page_replay.ts";

const skip = await whyNoBrowser();

test("the tutorial works as written", { timeout: 360_000 }, async (t) => {
  await using replay = await PageReplay.create();
  const play = (part: string) => () => replay.play(`docs/tutorial/${part}.md`);

  await t.test("in part 1, a page", play("1_a_page"));
  await t.test("the island shows why it was refused", { skip }, async () => {
    await using browser = await launchBrowser();
    const page = await enter(browser, await replay.start(), "ada");
    await page.getByText("refused: NO_CONSUMER").waitFor();
  });
  await t.test("in part 2, a consumer", play("2_a_consumer"));
  await t.test("in part 3, a group", play("3_a_group"));
  await t.test("two users see each other clap", { skip }, async () => {
    await using browser = await launchBrowser();
    const origin = await replay.start();
    const ada = await enter(browser, origin, "ada");
    const grace = await enter(browser, origin, "grace");
    for (const page of [ada, grace]) await page.getByText("live", { exact: true }).waitFor();
    await ada.getByRole("button", { name: "Clap" }).click();
    for (const page of [ada, grace]) await page.getByText("Ada Lovelace: 👏").waitFor();
  });
  await t.test("in part 4, tests", play("4_tests"));
});

/** Opens the page in a new browser context, signed in as the given user. */
async function enter(browser: TestBrowser, origin: string, login: string): Promise<Page> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${origin}/auth/signin?login_hint=${login}&return_to=/applause`);
  await page.getByRole("heading", { name: "Applause" }).waitFor();
  assert.deepEqual(errors, []);
  return page;
}
