import { cp, readFile, rm } from "node:fs/promises";
import { join, normalize } from "node:path";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { LiveApp } from "../support/app/live_app.ts";
import { provideInstallation } from "../../tools/pack/provide_package.ts";
import { findProgram, run } from "../../tools/provide/programs.ts";
import {
  launchBrowser,
  screenshot,
  type TestBrowser,
  whyNoBrowser,
} from "../support/browser/browser.ts";
import { RoomPage } from "../support/browser/room_page.ts";

const EXAMPLE = new URL("../../examples/other_origin", import.meta.url).pathname;

const STEP_MS = 120_000;

const skip = findProgram("npm") === undefined ? "npm is not installed" : await whyNoBrowser();

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
};

/** Serves a folder on a free port. */
function serveFolder(folder: () => string) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const name = normalize(pathname === "/" ? "/index.html" : pathname);
    const body = await readFile(join(folder(), name)).catch(() => undefined);
    if (body === undefined) return new Response("not found", { status: 404 });
    const type = TYPES[name.split(".").at(-1)!] ?? "application/octet-stream";
    return new Response(body, { headers: { "content-type": type } });
  });
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Builds the example with the package as a user installs it. Returns the folder. */
async function buildExample(server: string): Promise<string> {
  const { dependencies, devDependencies } = JSON.parse(
    await readFile(join(EXAMPLE, "package.json"), "utf8"),
  );
  const installation = await provideInstallation({ ...dependencies, ...devDependencies });
  const folder = join(installation, `run-${crypto.randomUUID()}`);
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  await cp(EXAMPLE, folder, { recursive: true });
  // With this, React runs each effect twice in Strict Mode.
  const env = { VITE_SERVER: server, NODE_ENV: "development" };
  const options = { cwd: folder, env, timeoutMs: STEP_MS };
  const { success, output } = await run("npm", ["run", "build"], options);
  assert.ok(success, output);
  return join(folder, "dist");
}

const parts = new AsyncDisposableStack();
let front: string;
let app: LiveApp;
let browser: TestBrowser;

before(async () => {
  if (skip) return;
  let folder = "";
  const { port } = parts.use(serveFolder(() => folder));
  front = `http://127.0.0.1:${port}`;
  const allowed = `${front}, http://localhost:${port}`;
  app = parts.use(await LiveApp.start({ ALLOWED_ORIGINS: allowed }));
  folder = await buildExample(app.origin);
  browser = parts.use(await launchBrowser());
});

after(() => parts.disposeAsync());

test(
  "a page on another origin signs in, talks in a room, and signs out",
  // The first test includes the installation and the build.
  { skip, timeout: 240_000 },
  async () => {
    const window = await browser.newContext();
    const page = await window.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await page.goto(`${front}/?from=mail#room`);
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Continue as a test user" }).click();
    await page.getByRole("button", { name: /Ada/ }).click();
    await page.getByText("You are Ada Lovelace").waitFor();
    assert.equal(page.url(), `${front}/?from=mail#room`);

    const grace = await RoomPage.enter(browser, app, "grace");
    await page.getByText(/Here now: .*Grace Hopper/).waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("Hello from another origin");
    await page.getByRole("textbox", { name: "Message" }).press("Enter");
    await grace.waitForMessage("Hello from another origin");
    await grace.say("Welcome");
    await page.getByRole("log").getByText("Welcome").waitFor();
    assert.deepEqual(sockets, [`${app.origin.replace("http", "ws")}/ws/chat/lobby`]);
    await screenshot(page, "other origin");

    const tab = await window.newPage();
    await tab.goto(front);
    await tab.getByRole("log").getByText("Welcome").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    for (const each of [page, tab]) {
      await each.getByText("You are signed out.").waitFor();
      await each.getByRole("link", { name: "Sign in" }).waitFor();
    }
    await grace.waitForPeople(1);
    assert.deepEqual(problems, []);
    await grace.page.context().close();
    await window.close();
  },
);

test("a page on another origin talks over plain HTTP where WebSockets do not work", {
  skip,
  timeout: 60_000,
}, async () => {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    class BrokenSocket extends EventTarget {
      readyState = 3;
      constructor() {
        super();
        setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: 1006 })));
      }
      close() {}
    }
    Object.assign(globalThis, { WebSocket: BrokenSocket });
  });
  const query = new URLSearchParams({ login_hint: "linus", return_to: front });
  await page.goto(`${app.origin}/auth/signin?${query}`);
  await page.getByText("Here now: Linus Torvalds").waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("Without a WebSocket");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByRole("log").getByText("Without a WebSocket").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  await page.context().close();
});

/** What a page of another origin can do to a signed-in user; runs in the page. */
async function attack(origin: string): Promise<Record<string, string>> {
  const outcome = (work: Promise<unknown>) => work.then(() => "done", () => "failed");
  const init: RequestInit = { method: "POST", credentials: "include" };
  const socket = new Promise((resolve, reject) => {
    const opened = new WebSocket(`${origin.replace("http", "ws")}/ws/echo`, ["sluice.v1"]);
    opened.onopen = resolve;
    opened.onerror = reject;
  });
  return {
    me: await outcome(fetch(`${origin}/api/me`, { credentials: "include" })),
    signOut: await outcome(fetch(`${origin}/auth/signout`, init)),
    blindSignOut: await outcome(fetch(`${origin}/auth/signout`, { ...init, mode: "no-cors" })),
    ticket: await outcome(fetch(`${origin}/api/tickets`, { ...init, body: '{"path":"/ws/echo"}' })),
    socket: await outcome(socket),
  };
}

test("a page of an origin that is not allowed reads nothing and changes nothing, with the cookie", {
  skip,
  timeout: 60_000,
}, async () => {
  await using evil = serveFolder(() => EXAMPLE);
  const page = await browser.newPage();
  await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/api/me`);
  await page.goto(`http://127.0.0.1:${evil.port}/src/style.css`);
  assert.deepEqual(await page.evaluate(attack, app.origin), {
    me: "failed",
    signOut: "failed",
    // The response is hidden, and was a refusal: the session lives on.
    blindSignOut: "done",
    ticket: "failed",
    socket: "failed",
  });
  await page.goto(`${app.origin}/api/me`);
  await page.getByText("ada").waitFor();
  await page.goto(front);
  await page.getByText("You are Ada Lovelace").waitFor();
  await page.context().close();
});

test(
  "a page of an allowed origin on another site gets no cookie",
  { skip, timeout: 60_000 },
  async () => {
    const page = await browser.newPage();
    await page.goto(`${app.origin}/auth/signin?login_hint=ada&return_to=/api/me`);
    await page.goto(front.replace("127.0.0.1", "localhost"));
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await page.context().close();
  },
);
