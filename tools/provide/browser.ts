import process from "node:process";
import { chromium } from "playwright-core";
import { aptInstall } from "./apt.ts";
import {
  type Browser,
  dropNpmBrowser,
  dropNpmLibraries,
  findNpmBrowser,
  unpackNpmBrowser,
} from "./npm_browser.ts";
import { findProgram } from "./programs.ts";

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "chrome",
  "chrome-headless-shell",
];

/** Flags for a browser in a container: root cannot use the sandbox, and `/dev/shm` is small. */
export const BROWSER_FLAGS: readonly string[] = ["--no-sandbox", "--disable-dev-shm-usage"];

/**
 * Returns an available browser: the one at the path in `SLUICE_BROWSER`, an installed one, or the one
 * that {@linkcode provideBrowser} unpacked. Does not launch it.
 */
export async function findBrowser(): Promise<Browser | undefined> {
  return findInstalled() ?? await findNpmBrowser();
}

/**
 * Returns a browser that starts: an installed one, otherwise the one in the npm package
 * `@sparticuz/chromium`, which includes its libraries, otherwise Debian's.
 *
 * @throws {Error} No browser starts; the message contains the reasons.
 */
export async function provideBrowser(note: (text: string) => void): Promise<Browser> {
  const found = await findBrowser();
  if (found && await starts(found)) return found;

  note("Unpacking the browser of the npm package @sparticuz/chromium");
  const unpackProblem = await unpackNpmBrowser();
  for (const drop of [() => Promise.resolve(), dropNpmLibraries]) {
    await drop();
    const unpacked = await findNpmBrowser();
    if (unpacked && await starts(unpacked)) return unpacked;
  }
  await dropNpmBrowser();

  note("Installing Debian's browser with apt-get");
  const aptProblem = await aptInstall("chromium");
  const installed = findInstalled();
  if (installed && await starts(installed)) return installed;
  const problems = [
    installed ? "the installed browser does not start" : "no browser is installed",
    unpackProblem ?? "the npm browser does not start",
    aptProblem ?? "the Debian browser does not start",
  ];
  throw new Error(problems.join("; "));
}

function findInstalled(): Browser | undefined {
  const executablePath = process.env.SLUICE_BROWSER || findProgram(...NAMES);
  return executablePath ? { executablePath, env: {} } : undefined;
}

async function starts({ executablePath, env }: Browser): Promise<boolean> {
  try {
    const browser = await chromium.launch({
      executablePath,
      args: [...BROWSER_FLAGS],
      env: { ...process.env, ...env },
      timeout: 30_000,
    });
    await browser.close();
    return true;
  } catch {
    return false;
  }
}
