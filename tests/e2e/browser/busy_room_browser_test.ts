import { test } from "node:test";
import assert from "node:assert/strict";
import { launchBrowser, whyNoBrowser } from "../../support/browser/browser.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { RoomPage } from "../../support/browser/room_page.ts";

const skip = await whyNoBrowser();

/** The number of arriving messages: enough for a block of old ones to be removed. */
const MESSAGES = 650;

/** Sends messages to the lobby as a user without a window. */
async function say({ app }: LiveApp, text: string): Promise<void> {
  const user = { id: "visitor", login: "visitor", name: "Visitor", avatarUrl: "" };
  const data = { id: crypto.randomUUID(), text, user, at: new Date().toISOString() };
  await app.services.layer.groupSend("chat.lobby", { type: "said", data });
}

test(
  "a busy room renders at most every 100 ms, and removes old messages in blocks",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using browser = await launchBrowser();
    const ada = await RoomPage.enter(browser, app, "ada");
    await ada.page.evaluate(() => {
      const seen = { startedAt: performance.now(), endedAt: 0, renders: 0, removals: 0 };
      new MutationObserver((records) => {
        seen.renders++;
        seen.endedAt = performance.now();
        if (records.some(({ removedNodes }) => removedNodes.length > 0)) seen.removals++;
      }).observe(document.querySelector("[role=log]")!, { childList: true, subtree: true });
      Object.assign(globalThis, { seen });
    });
    for (let n = 1; n <= MESSAGES; n++) await say(app, `line ${n}`);
    await ada.waitForMessage(`line ${MESSAGES}`);
    const { startedAt, endedAt, renders, removals } = await ada.page.evaluate(() =>
      (globalThis as unknown as {
        seen: Record<"startedAt" | "endedAt" | "renders" | "removals", number>;
      })
        .seen
    );
    const most = (endedAt - startedAt) / 100 + 2;
    assert.ok(renders <= most, `${renders} renders, at most ${most}`);
    // The text of the empty room, and one block.
    assert.ok(removals <= 2, `${removals} removals`);
    await ada.page.getByRole("button", { name: "Show older messages" }).waitFor();
    assert.ok(await ada.log.getByRole("article").count() >= 500);
    const distance = await ada.log.evaluate((log) =>
      log.scrollHeight - log.scrollTop - log.clientHeight
    );
    assert.ok(distance < 2, `${distance} px from the end`);
  },
);
