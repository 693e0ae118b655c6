import { test } from "node:test";
import assert from "node:assert/strict";
import {
  connect,
  type ConnectOptions,
  type RealtimeSocket,
  type SocketState,
} from "@sluice/sluice/client";
import type { ChatMessages } from "../../../consumers/chat_messages.ts";
import type { HttpBrowser } from "../../support/app/http_browser.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { LiveApp } from "../../support/app/live_app.ts";

/** How much faster a page's clock may run than the machine's. */
const FAST = 10;

interface Page {
  readonly room: RealtimeSocket<ChatMessages>;
  /** Makes the page visible again. */
  look(): void;
}

/** A page of the app behind the proxy, with a browser's cookies. */
function open(proxy: TcpProxy, browser: HttpBrowser, speed = 1): Page & Disposable {
  const headers = () => ({ origin: proxy.origin, cookie: browser.cookieHeader });
  let look = () => {};
  const environment: ConnectOptions["environment"] = {
    WebSocket: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, { protocols, headers: headers() } as never); // Deno's own options.
      }
    },
    fetch: (url, init) => fetch(url, { ...init, headers: { ...headers() } }),
    now: () => performance.now() * speed,
    after(ms, callback) {
      const timer = setTimeout(callback, ms / speed);
      return () => clearTimeout(timer);
    },
    listen(change, callback) {
      if (change === "visible") look = callback;
      return () => {};
    },
  };
  const room = connect<ChatMessages>(`${proxy.origin}/ws/chat/lobby`, { environment });
  return { room, look: () => look(), [Symbol.dispose]: () => room.close() };
}

/** Resolves at the next change to one of the given states. */
function next(room: Page["room"], ...wanted: SocketState[]): Promise<string> {
  return new Promise((resolve) => {
    const stop = room.onState((state, { reason }) => {
      if (!wanted.includes(state)) return;
      stop();
      resolve(reason);
    });
  });
}

async function entered({ room }: Page): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const stop = room.on("welcome", ({ you }) => resolve(you.login));
  const login = await promise;
  stop();
  return login;
}

const limit = { timeout: 60_000 };

test(
  "a page with a silent connection reconnects through another path by itself",
  limit,
  async () => {
    await using app = await LiveApp.start();
    await using proxy = await TcpProxy.open(Number(new URL(app.origin).port));
    using page = open(proxy, await app.signIn("ada"), FAST);
    await entered(page);
    proxy.freeze();
    const back = entered(page);
    assert.equal(await next(page.room, "reconnecting"), "The connection went silent");
    assert.equal(await back, "ada");
    await page.room.request("say", { text: "Here again" });
  },
);

test(
  "a page with a silent connection reconnects when it becomes visible",
  limit,
  async () => {
    await using app = await LiveApp.start();
    await using proxy = await TcpProxy.open(Number(new URL(app.origin).port));
    using page = open(proxy, await app.signIn("ada"));
    await entered(page);
    proxy.freeze();
    page.look();
    const back = entered(page);
    assert.equal(await next(page.room, "reconnecting"), "The connection went silent");
    assert.equal(await back, "ada");
  },
);

test("messages that Ada wrote offline are never sent in the name of Grace", limit, async () => {
  await using app = await LiveApp.start();
  await using proxy = await TcpProxy.open(Number(new URL(app.origin).port));
  const browser = await app.signIn("ada");
  using page = open(proxy, browser);
  await entered(page);
  await page.room.request("say", { text: "Online" });
  const lost = next(page.room, "reconnecting");
  proxy.cut();
  await lost;
  const { room } = page;
  const unsent = assert.rejects(room.request("say", { text: "Offline" }), {
    code: "IDENTITY_CHANGED",
    sent: false,
  });
  const heard: string[] = [];
  room.on("said", ({ text, user }) => heard.push(`${user.login}: ${text}`));
  await browser.signIn("grace");
  proxy.restore();
  await unsent;
  await room.request("say", { text: "My own" });
  assert.ok(!heard.some((line) => line.includes("Offline")), String(heard));
});
