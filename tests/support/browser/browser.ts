import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { BROWSER_FLAGS, findBrowser } from "../../../tools/provide/browser.ts";

/** A browser that closes with the test: `await using browser = await launchBrowser()`. */
export interface TestBrowser extends AsyncDisposable {
  /** Opens a window with separate cookies, for another user. */
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Opens a page in a separate window. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

/**
 * Returns why browser tests are skipped, for `test(name, { skip: await whyNoBrowser() }, …)`, or `false`
 * if there is a browser. `deno task test` installs one if possible.
 */
export async function whyNoBrowser(): Promise<string | false> {
  return await findBrowser() ? false : "no browser is installed (`deno task test` gets one)";
}

/**
 * Starts a headless browser that can reach only this machine.
 *
 * @throws {Error} No browser is available: see {@linkcode whyNoBrowser}.
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
 * Takes a screenshot of the page if `SLUICE_SCREENSHOTS` is set, as `.data/screenshots/<name>.png`, which
 * is not under version control.
 *
 * @returns Its path, or `undefined` if none was requested.
 */
export async function screenshot(page: Page, name: string): Promise<string | undefined> {
  if (!process.env.SLUICE_SCREENSHOTS) return undefined;
  const folder = new URL("../../.data/screenshots/", import.meta.url).pathname;
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/[^\w-]+/g, "-")}.png`);
  await page.screenshot({ path, fullPage: true });
  return path;
}
