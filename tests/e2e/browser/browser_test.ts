import { test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { launchBrowser, screenshot, whyNoBrowser } from "../../support/browser/browser.ts";

const skip = await whyNoBrowser();

/** Serves one page on a free port. */
async function servePage(html: string) {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(html);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)).then(() => {}),
  };
}

test("launchBrowser() opens pages of this machine and runs their scripts", { skip }, async () => {
  await using site = await servePage("<h1></h1><script>document.title = 1 + 1</script>");
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(site.url);
  assert.equal(await page.title(), "2");
  assert.equal((await page.screenshot()).subarray(1, 4).toString(), "PNG");
});

test("launchBrowser() keeps the cookies of one window from another", { skip }, async () => {
  await using site = await servePage("");
  await using browser = await launchBrowser();
  const [ada, grace] = [await browser.newPage(), await browser.newPage()];
  await ada.goto(site.url);
  await ada.evaluate(() => document.cookie = "who=ada");
  await grace.goto(site.url);
  assert.equal(await grace.evaluate(() => document.cookie), "");
});

test("launchBrowser() reaches nothing beyond this machine", { skip }, async () => {
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await assert.rejects(page.goto("http://example.com/"), /ERR_NAME_NOT_RESOLVED/);
});

test("screenshot() writes nothing by default", { skip }, async () => {
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  const before = Deno.env.get("SLUICE_SCREENSHOTS");
  Deno.env.delete("SLUICE_SCREENSHOTS");
  try {
    assert.equal(await screenshot(page, "nothing"), undefined);
  } finally {
    if (before !== undefined) Deno.env.set("SLUICE_SCREENSHOTS", before);
  }
});
