import { test } from "node:test";
import assert from "node:assert/strict";
import { launchBrowser, whyNoBrowser } from "../../support/browser/browser.ts";
import { BreakingProxy } from "../../support/breaking_proxy.ts";
import { LiveApp } from "../../support/app/live_app.ts";
import { RoomPage } from "../../support/browser/room_page.ts";

const skip = await whyNoBrowser();

test(
  "a room works behind a proxy that breaks WebSockets, and ends with its session",
  { skip },
  async () => {
    await using app = await LiveApp.start();
    await using proxy = await BreakingProxy.start(app.origin);
    await using browser = await launchBrowser();
    const window = await browser.newContext();
    const view = new RoomPage(await window.newPage());
    await view.page.goto(`${proxy.url}/auth/signin?login_hint=ada&return_to=/rooms/lobby`);
    await view.waitForState("live");
    await view.say("over HTTP");
    await view.message("over HTTP").waitFor();
    const elsewhere = await app.signIn("grace");
    using socket = await app.open("/ws/chat/lobby", elsewhere);
    await socket.frame("welcome");
    socket.sendJson({ type: "say", data: { text: "over a socket" }, id: "1" });
    await view.message("over a socket").waitFor();
    assert.equal(proxy.upgrades, 2);
    await window.request.post(`${proxy.url}/auth/signout`, { headers: { origin: proxy.url } });
    await view.waitForState("signed-out");
    assert.equal(proxy.upgrades, 2);
  },
);
