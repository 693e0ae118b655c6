import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { BROWSER_FLAGS, findBrowser } from "../../tools/provide/browser.ts";

/** A browser that ends with the test: `await using browser = await launchBrowser()`. */
export interface TestBrowser extends AsyncDisposable {
  /** Opens a window with cookies of its own: another person. */
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Opens a page in a window of its own. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

/**
 * Returns why browser tests are left out here, for `test(name, { skip: await whyNoBrowser() }, …)`;
 * `false` where there is a browser. `deno task test` gets one where it can.
 */
export async function whyNoBrowser(): Promise<string | false> {
  return await findBrowser() ? false : "no browser is installed (`deno task test` gets one)";
}

/**
 * Starts a browser, headless, that reaches nothing but this machine.
 *
 * @throws {Error} There is none: see {@linkcode whyNoBrowser}.
 */
export async function launchBrowser(): Promise<TestBrowser> {
  const found = await findBrowser();
  if (!found) throw new Error("Cannot launch a browser: none is installed");
  const browser = await chromium.launch({
    executablePath: found.executablePath,
    args: [
      ...BROWSER_FLAGS,
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost",
    ],
    env: { ...process.env, ...found.env },
  });
  return {
    newContext: (options) => browser.newContext(options),
    newPage: (options) => browser.newPage(options),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/**
 * Takes a picture of the page, for people to look at, where `SLUICE_SCREENSHOTS` is set: as
 * `.data/screenshots/<name>.png`, which is not under version control.
 *
 * @returns Where it is; `undefined` where none was asked for.
 */
export async function screenshot(page: Page, name: string): Promise<string | undefined> {
  if (!process.env.SLUICE_SCREENSHOTS) return undefined;
  const folder = new URL("../../.data/screenshots/", import.meta.url).pathname;
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/[^\w-]+/g, "-")}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}
