import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/compat/browser.ts";
import { buildOnDisk } from "../support/compat/fresh_app.ts";

const launched = await launchBrowser();
const options = { skip: typeof launched === "string" ? launched : false };
const browser = launched as Browser;

const build = await buildOnDisk();
const server = Deno.serve({ port: 0, onListen() {} }, (req) => build.handler(req));
const origin = `http://localhost:${server.addr.port}`;

after(async () => {
  if (!options.skip) await browser.close();
  await server.shutdown();
  await build[Symbol.asyncDispose]();
});

/** Opens a page, and fails on any error in it. */
async function open(path: string): Promise<Page & AsyncDisposable> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(origin + path);
  return Object.assign(page, {
    async [Symbol.asyncDispose]() {
      await page.close();
      assert.deepEqual(problems, []);
    },
  });
}

/** Clicks until the page reacts, because islands start shortly after the page loads. */
async function clickUntil(
  page: Page,
  selector: string,
  answered: () => boolean | Promise<boolean>,
) {
  for (;;) {
    await page.click(selector);
    if (await answered()) return;
  }
}

const COUNTERS = ["one", "two", "three", "four"];

test("islands with the same signal share it in the browser", options, async () => {
  await using page = await open("/");
  const text = (id: string) => page.textContent(`#${id}`);
  await clickUntil(page, "#one", async () => await text("one") !== "count: 3");
  const shown = await text("one");
  for (const id of COUNTERS) assert.equal(await text(id), shown);
  await page.click("#four");
  assert.notEqual(await text("one"), shown);
  assert.equal(await text("one"), await text("four"));
});

test(
  "an island reuses the nodes of its server-rendered children and restores them",
  options,
  async () => {
    await using page = await open("/");
    const isShown = () => page.locator("#passed").count().then((count) => count === 1);
    await clickUntil(page, "#toggle-Outer", async () => !await isShown());
    assert.equal(await page.locator("#three").count(), 0);
    await page.click("#toggle-Outer");
    assert.equal(await page.innerHTML("#passed"), "passed <b>through</b>");
    assert.equal(await page.textContent("#three"), await page.textContent("#one"));
  },
);

test(
  "an island shows hidden children with their islands",
  options,
  async () => {
    await using page = await open("/");
    const isShown = () => page.locator("#hidden").count().then((count) => count === 1);
    await clickUntil(page, "#toggle-Closed", isShown);
    assert.equal(await page.textContent("#five"), await page.textContent("#one"));
    const before = await page.textContent("#one");
    await page.click("#five");
    assert.notEqual(await page.textContent("#one"), before);
    assert.equal(await page.textContent("#five"), await page.textContent("#one"));
  },
);

test(
  "an island runs its effect and shows the signal that the effect changes",
  options,
  async () => {
    await using page = await open("/countdown");
    await page.locator("#countdown", { hasText: "Now!" }).waitFor({ timeout: 20_000 });
  },
);

test("an island receives its data unchanged", options, async () => {
  await using page = await open("/data");
  await page.waitForFunction(() => document.querySelector("#found")?.textContent !== "{}");
  assert.deepEqual(JSON.parse(await page.textContent("#found") ?? ""), {
    text: "</script><script>globalThis.hacked = true</script><!-- & \u2028 'quoted' \"twice\"",
    date: "1970-01-01T00:00:00.000Z",
    map: [["key", [1, 2]]],
    big: "12345678901234567890",
    url: "b",
    pattern: "/a<b/gi",
    bytes: [0, 127, 255],
    numbers: ["NaN", "Infinity", "-Infinity", "-0", "0", "1.5"],
    nothing: ["undefined", "null"],
    holes: [3, false],
    twins: true,
    cycle: true,
    polluted: false,
    signal: 7,
  });
  assert.equal(await page.evaluate("globalThis.hacked"), undefined);
});

test("<Head> in an island updates the title and its tags", options, async () => {
  await using page = await open("/head_in_island");
  assert.equal(await page.title(), "first title");
  await clickUntil(page, "#rename", async () => await page.title() === "second title");
  const description = page.locator('head meta[name="description"]');
  assert.equal(await description.count(), 1);
  assert.equal(await description.getAttribute("content"), "about second title");
});

test("an island in a page's folder starts", options, async () => {
  await using page = await open("/local");
  await page.waitForFunction(() => document.querySelector("#local")?.textContent === "browser");
});

test("islands with one parent grow in place and do not affect each other", options, async () => {
  await using page = await open("/growing");
  const text = () => page.textContent("#around");
  await page.waitForFunction(() => document.querySelector("#late") !== null);
  assert.equal(await text(), "beforelatethengrow0betweengrow0after");
  await clickUntil(page, "#grow >> nth=0", async () => (await text())?.includes("grow01") === true);
  await clickUntil(page, "#grow >> nth=1", async () => !(await text())!.endsWith("grow0after"));
  assert.match(await text() ?? "", /^beforelatethengrow01\d*betweengrow01\d*after$/);
});
