import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright } from "playwright-core";

/** A browser, or the reason why none is available. */
export async function launchBrowser(): Promise<Browser | string> {
  try {
    const executablePath = Deno.env.get("CHROMIUM_PATH") ?? await chromium.executablePath();
    return await playwright.launch({ executablePath, args: ["--no-sandbox"], headless: true });
  } catch (error) {
    return `no browser on this machine: ${error}`;
  }
}
