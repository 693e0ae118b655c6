import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { AppProcess, buildApp, type Ended } from "../../support/app/app_process.ts";
import { freePort } from "../../support/free_port.ts";

before(buildApp);

const directory = await Deno.makeTempDir();
after(() => Deno.remove(directory, { recursive: true }));

/** Parses all printed lines; each must be a JSON object with a process id. */
function readLog({ stdout, stderr }: Ended): Record<string, unknown>[] {
  const lines = `${stdout}${stderr}`.trimEnd().split("\n");
  return lines.map((line) => {
    const entry = JSON.parse(line);
    assert.ok(Number.isInteger(entry.pid), line);
    return entry;
  });
}

const JSON_ONLY: [what: string, env: Record<string, string>, args: readonly string[]][] = [
  ["one process", { PORT: "0" }, []],
  [
    "several processes",
    { PORT: String(freePort()), CHANNEL_LAYER: "kv:", DEV_SIGN_IN: "off" },
    ["--processes", "2"],
  ],
];
for (const [what, env, args] of JSON_ONLY) {
  test(`with LOG_FORMAT=json ${what} print only JSON`, async () => {
    const kvPath = join(directory, `${args.length}.sqlite3`);
    const own = {
      LOG_FORMAT: "json",
      DENO_KV_PATH: kvPath,
      DRAIN_SECONDS: "0",
      PORT_: "1",
      ...env,
    };
    await using app = await AppProcess.start({ ...own, SOCKET_PER_USER: "5" }, "serve", args);
    if (args.length > 0) {
      await app.listening(2);
      Deno.kill(app.children()[0]!, "SIGKILL");
      await app.listening(3);
    }
    app.signal("SIGTERM");
    const ended = await app.ended();
    assert.equal(ended.code, 0);
    const log = readLog(ended);
    const misspelt = log.filter(({ message }) => String(message).includes("SOCKET_PER_USER"));
    assert.deepEqual(misspelt.map(({ level, pid }) => [level, pid]), [["warn", app.pid]]);
  });
}

test("with LOG_FORMAT=json an invalid setting is one line of JSON", async () => {
  const env = { LOG_FORMAT: "json", PORT: "eighty" };
  const ended = await AppProcess.spawn(env).ended();
  assert.equal(ended.code, 1);
  const [line, ...others] = readLog(ended);
  assert.match(String(line!.message), /^PORT is "eighty", but accepts/);
  assert.deepEqual(others, []);
});

test("each line of the text log has the id of its process", async () => {
  await using app = await AppProcess.start({ DENO_KV_PATH: ":memory:", SOCKET_PER_USER: "s3cret" });
  app.signal("SIGTERM");
  const { stderr } = await app.ended();
  const lines = stderr.trimEnd().split("\n");
  assert.match(lines[0]!, /WARN {2}No setting has the name SOCKET_PER_USER \(SOCKETS_PER_USER\?\)/);
  assert.equal(stderr.split("SOCKET_PER_USER").length, 2, "one line");
  assert.ok(!stderr.includes("s3cret"), "its value is not shown");
  for (const line of lines) assert.match(line, new RegExp(` pid=${app.pid}( |$)`));
});

/** Runs a task of `deno.json`, and removes Deno's line with its name. */
async function runTask(args: readonly string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...args],
    cwd: new URL("../../../", import.meta.url),
    env: { NO_COLOR: "1", DENO_KV_PATH: ":memory:", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(50_000),
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: error! };
}

const TASKS: [what: string, task: string[], env: Record<string, string>, sentence: RegExp][] = [
  ["a wrong setting", ["dev"], { PORT: "eighty" }, /^PORT is "eighty", but accepts [^\n]*\.\n$/],
  [
    "a database that is a folder",
    ["dev"],
    { PORT: "0", DENO_KV_PATH: "tests" },
    /^DENO_KV_PATH is /,
  ],
  ["no channel", ["worker"], {}, /^Name one or more of log\.\n$/],
  [
    "an unknown channel",
    ["worker", "nosuch"],
    { PORT: "eighty" },
    /^No worker serves the channel "nosuch": name one or more of log\.\n$/,
  ],
  [
    "one unknown channel of two",
    ["worker", "log", "nosuch"],
    {},
    /^No worker serves the channel "nosuch": [^\n]+\n$/,
  ],
];
for (const [what, task, env, sentence] of TASKS) {
  test(`deno task ${task.join(" ")} exits with 1 and one sentence for ${what}`, async () => {
    const { code, stdout, stderr } = await runTask(task, env);
    assert.equal(code, 1);
    assert.match(stderr, sentence);
    assert.equal(stdout, "");
  });
}

for (const task of [["dev"], ["serve", "--processes", "2"]]) {
  test(`deno task ${task.join(" ")} exits with 1 and one sentence if the port is used`, async () => {
    using taken = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const env = {
      PORT: String((taken.addr as Deno.NetAddr).port),
      CHANNEL_LAYER: "kv:",
      DENO_KV_PATH: join(directory, "taken.sqlite3"),
      GITHUB_CLIENT_ID: "id",
      GITHUB_CLIENT_SECRET: "of nobody",
    };
    const { code, stdout, stderr } = await runTask(task, env);
    assert.equal(code, 1);
    assert.match(stderr, /^PORT is "\d+", which is already in use[^\n]*\n$/);
    assert.equal(stdout, "");
  });
}

/** Returns the mode of a file, such as `600`. */
function rightsOf(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

test("the database is readable only by its user, with any umask", {
  skip: Deno.build.os === "windows" ? "there is no umask" : false,
}, async () => {
  const folder = join(directory, "private");
  const kvPath = join(folder, "kv.sqlite3");
  const before = Deno.umask(0);
  try {
    for (const isOld of [false, true]) {
      if (isOld) {
        for (const { name } of Deno.readDirSync(folder)) {
          Deno.chmodSync(join(folder, name), 0o666);
        }
      }
      await using app = await AppProcess.start({ DENO_KV_PATH: kvPath });
      await app.signIn("ada");
      const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assert.deepEqual(files, ["kv.sqlite3", "kv.sqlite3-shm", "kv.sqlite3-wal"]);
      for (const name of files) assert.equal(rightsOf(join(folder, name)), "600", name);
      assert.equal(rightsOf(folder), "700");
      // So that the companion files still exist at the next start.
      app.signal("SIGKILL");
    }
  } finally {
    Deno.umask(before);
  }
});

test("a file that is not a database keeps its mode", {
  skip: Deno.build.os === "windows" ? "there is no umask" : false,
}, async () => {
  const path = join(directory, "notes.txt");
  Deno.writeTextFileSync(
    path,
    "not a database, and much longer than a header of one would be\n".repeat(9),
  );
  Deno.chmodSync(path, 0o644);
  assert.equal((await AppProcess.spawn({ PORT: "0", DENO_KV_PATH: path }).ended()).code, 1);
  assert.equal(rightsOf(path), "644");
});
