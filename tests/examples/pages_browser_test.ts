import { test } from "node:test";
import { launchBrowser, whyNoBrowser } from "../support/browser/browser.ts";
import { ExampleProcess } from "../support/examples/example_process.ts";

const skip = await whyNoBrowser();

test("the page of chat.ts signs in, sends a message, and signs out", { skip }, async () => {
  await using example = await ExampleProcess.start("chat");
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(example.origin);
  await page.getByText("Not connected: 1006").waitFor();
  await page.goto(`${example.origin}/auth/signin?login_hint=ada&return_to=/`);
  await page.getByText("You are in the lobby.").waitFor();
  await page.locator("#say input").fill("<b>hello</b>");
  await page.getByRole("button", { name: "Say" }).click();
  await page.getByRole("listitem").getByText("Ada Lovelace: <b>hello</b>").waitFor();
  await page.getByRole("button", { name: "Say" }).click();
  await page.getByRole("listitem").getByText("Invalid length").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("Not connected: 1006").waitFor();
});

test("the page of channels_chat.ts shows messages from two tabs", { skip }, async () => {
  await using example = await ExampleProcess.start("channels_chat");
  await using browser = await launchBrowser();
  const window = await browser.newContext();
  const tabs = [await window.newPage(), await window.newPage()];
  for (const tab of tabs) {
    await tab.goto(`${example.origin}/sign-in?as=ada`);
    await tab.waitForFunction("socket.readyState === 1");
  }
  const input = tabs[0]!.locator("input");
  await input.fill("hello");
  await input.press("Enter");
  for (const tab of tabs) {
    await tab.waitForFunction('document.querySelector("textarea").value === "hello\\n"');
  }
});

test("the page of dashboard.ts updates", { skip }, async () => {
  await using example = await ExampleProcess.start("dashboard");
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(example.origin);
  const at = async () => JSON.parse(await page.locator("pre").innerText()).at as number;
  await page.getByText('"sockets": 1').waitFor();
  const before = await at();
  await page.waitForFunction(
    (then) => JSON.parse(document.querySelector("pre")!.textContent!).at > then,
    before,
  );
});
