import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { HttpBrowser } from "../support/app/http_browser.ts";
import { WsClient } from "../support/app/ws_client.ts";
import type { Runtime } from "../../tools/create/arguments.ts";
import { createProject } from "../../tools/create/create_project.ts";
import { COMMANDS } from "../../tools/create/texts.ts";
import { projectRanges } from "../../tools/pack/build_creator.ts";
import { providePackage } from "../../tools/pack/provide_package.ts";
import { run } from "../../tools/provide/programs.ts";
import { findRuntime, type RuntimeName } from "../../tools/provide/runtimes.ts";

const TEMPLATES = new URL("../../tools/create/template", import.meta.url).pathname;

/** Time limit of each command, in milliseconds. */
const COMMAND_MS = 120_000;

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "sluice-created-"));
});
after(() => rm(scratch, { recursive: true, force: true }));

const PROJECTS: readonly [runtime: Runtime, on: RuntimeName][] = [
  ["deno", "deno"],
  ["node", "node22"],
  ["bun", "bun"],
];

for (const [runtime, on] of PROJECTS) {
  const skip = findRuntime(on) === undefined && "not installed";
  test(`a new project for ${on} installs, passes its tests, and serves a room`, {
    skip,
    timeout: 170_000,
  }, async () => {
    const folder = join(scratch, `${runtime}-app`);
    const source = { tarball: await providePackage() };
    const ranges = await projectRanges();
    await createProject({ folder, runtime, source, templates: TEMPLATES, ranges });
    const { install, run: prefix } = COMMANDS[runtime];
    const env = environmentOf(on);
    await command(install, folder, env);
    await command(`${prefix} test`, folder, env);
    const refused = await attempt(`${prefix} start`, folder, { ...env, PORT: "abc" });
    assert.ok(!refused.success);
    assert.match(refused.output, /^PORT is "abc", but accepts a whole number from 0 to 65535\.$/m);
    await using server = await start(`${prefix} start`, folder, env);
    await visit(server.origin);
  });
}

/** The environment of a user with one runtime and no settings. */
function environmentOf(name: RuntimeName): Record<string, string> {
  const path = [dirname(findRuntime(name)!), process.env.PATH].join(delimiter);
  return { PATH: path, PORT: "0", NO_COLOR: "1", DATABASE_URL: "", REDIS_URL: "" };
}

async function command(line: string, cwd: string, env: Record<string, string>): Promise<void> {
  const { success, output } = await attempt(line, cwd, env);
  assert.ok(success, `${line} failed:\n${output}`);
}

async function attempt(line: string, cwd: string, env: Record<string, string>) {
  const [program, ...args] = line.split(" ");
  return await run(program!, args, { cwd, env, timeoutMs: COMMAND_MS });
}

/** Starts a server in its own process group, because commands start others. */
async function start(line: string, cwd: string, env: Record<string, string>) {
  const [program, ...args] = line.split(" ");
  const options = { cwd, env: { ...process.env, ...env }, detached: true };
  const child = spawn(program!, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const origin = await new Promise<string>((resolve, reject) => {
    let text = "";
    const read = (chunk: Uint8Array) => {
      text += new TextDecoder().decode(chunk);
      const [, found] = /Listening on (http:\S+)/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("close", () => reject(new Error(`${line} ended:\n${text}`)));
  });
  return {
    origin,
    async [Symbol.asyncDispose]() {
      process.kill(-child.pid!, "SIGTERM");
      await ended;
    },
  };
}

/** Does what users do: look at the page, sign in, talk, sign out. */
async function visit(origin: string): Promise<void> {
  const page = await fetch(origin);
  assert.match(page.headers.get("content-security-policy")!, /script-src 'self'/);
  const [, script] = /<script type="module" src="([^"]+)"/.exec(await page.text()) ?? [];
  assert.match(await (await fetch(new URL(script!, origin))).text(), /\/ws\/chat\/lobby/);
  for (const path of ["/..%2f.env", "/.env", "/server/app.ts"]) {
    const hidden = await fetch(origin + path);
    assert.equal(hidden.status, 404, path);
    await hidden.body?.cancel();
  }

  const url = `${origin.replace("http", "ws")}/ws/chat/lobby`;
  const open = (headers: Record<string, string>) =>
    WsClient.connect(url, { protocols: ["sluice.v1"], headers: { origin, ...headers } });
  await assert.rejects(open({}), { status: 401, code: "NOT_SIGNED_IN" });
  const enter = async (login: string) => {
    const browser = new HttpBrowser((request) => fetch(request), origin);
    await (await browser.visit(`/auth/signin?login_hint=${login}&return_to=/`)).body?.cancel();
    return { browser, socket: await open({ cookie: browser.cookieHeader }) };
  };
  const ada = await enter("ada");
  using socket = ada.socket;
  using grace = (await enter("grace")).socket;
  grace.sendJson({ type: "say", data: { text: "Hello" } });
  const { data } = await socket.frame("said") as { data: { text: string; user: { name: string } } };
  assert.deepEqual([data.text, data.user.name], ["Hello", "Grace Hopper"]);

  const elsewhere = await ada.browser.request("/auth/signout", {
    method: "POST",
    headers: { origin: "https://evil.example" },
  });
  assert.equal(elsewhere.status, 403);
  const headers = { origin };
  const answer = await ada.browser.request("/auth/signout", { method: "POST", headers });
  assert.equal(answer.status, 303);
  assert.equal((await socket.closed).code, 4401);
}
