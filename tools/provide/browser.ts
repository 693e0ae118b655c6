import process from "node:process";
import { chromium } from "playwright-core";
import { aptInstall } from "./apt.ts";
import {
  dropNpmBrowser,
  dropNpmLibraries,
  findNpmBrowser,
  unpackNpmBrowser,
} from "./npm_browser.ts";
import { findProgram } from "./programs.ts";

/** A browser that can be started. */
export interface Browser {
  readonly executablePath: string;
  /** What its environment needs besides the usual. */
  readonly env: Readonly<Record<string, string>>;
}

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "chrome",
  "chrome-headless-shell",
];

/** Flags for a browser in a container: root cannot have the sandbox, and `/dev/shm` is small. */
export const BROWSER_FLAGS: readonly string[] = ["--no-sandbox", "--disable-dev-shm-usage"];

/**
 * Returns the browser that is here: that of `SLUICE_BROWSER` (a path), an installed one, or the one
 * that {@linkcode provideBrowser} unpacked. Does not start it.
 */
export async function findBrowser(): Promise<Browser | undefined> {
  return findInstalled() ?? await findNpmBrowser();
}

/**
 * Returns a browser that starts: an installed one, else the one in the npm package
 * `@sparticuz/chromium`, which brings the libraries that it needs, else Debian's.
 *
 * @throws {Error} There is none, and why.
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
    unpackProblem ?? "that of npm does not start",
    aptProblem ?? "that of Debian does not start",
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
