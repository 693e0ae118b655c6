import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../../tools/provide/programs.ts";
import { eventually } from "../../support/eventually.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "sluice-task-"));
after(() => rm(folder, { recursive: true }));

const HEAD = `import { test } from "node:test";\n`;

const COMMAND = ["run", "-A", join(root, "tools/test.ts")];

/** Short limits of a test and of a file, in milliseconds. */
const SHORT = { SLUICE_TEST_MS: "500", SLUICE_FILE_MS: "4000" };

/** Writes files into a new folder. Returns their paths. */
async function write(sources: Readonly<Record<string, string>>): Promise<string[]> {
  const own = await mkdtemp(join(folder, "files-"));
  return await Promise.all(
    Object.entries(sources).map(async ([name, source]) => {
      await writeFile(join(own, name), source);
      return join(own, name);
    }),
  );
}

/** Runs the task on files. Returns its output, the last line, and whether it succeeded. */
async function runFiles(
  sources: Readonly<Record<string, string>>,
  { env = {}, args = [] }: { env?: Record<string, string>; args?: readonly string[] } = {},
) {
  const command = [...COMMAND, ...await write(sources), ...args];
  const options = { timeoutMs: 60_000, env };
  const { success, stdout, output } = await run(Deno.execPath(), command, options);
  return { success, last: stdout.trimEnd().split("\n").at(-1), output };
}

async function runTask(name: string, source: string) {
  const { success, last } = await runFiles({ [name]: source });
  return { success, last };
}

test("task test succeeds and prints the counts last if no test failed", async () => {
  const source = `${HEAD}test("a", () => {}); test("b", { skip: "no moon" }, () => {});`;
  assert.deepEqual(await runTask("fine_test.ts", source), {
    success: true,
    last: "1 passed, 0 failed, 1 skipped",
  });
});

test("task test fails if a test failed", async () => {
  const source = `${HEAD}test("a", () => {}); test("b", () => { throw new Error("no"); });`;
  assert.deepEqual(await runTask("red_test.ts", source), {
    success: false,
    last: "1 passed, 1 failed, 0 skipped",
  });
});

test("task test counts a module that fails to load, wholly or partly, as failed", async () => {
  const nothing = `${HEAD}import "./missing.ts";\ntest("a", () => {});`;
  const half = `${HEAD}test("a", () => {});\nthrow new Error("at load");`;
  const { last, success } = await runTask("half_test.ts", half);
  assert.deepEqual([last, success], ["1 passed, 1 failed, 0 skipped", false]);
  assert.equal((await runTask("nothing_test.ts", nothing)).success, false);
});

test("task test counts an uncaught error outside tests as failed", async () => {
  const source = `${HEAD}test("a", () => void Promise.reject(new Error("unhandled")));
    test("b", () => new Promise((resolve) => setTimeout(resolve)));`;
  const { last } = await runTask("stray_test.ts", source);
  assert.equal(last, "2 passed, 1 failed, 0 skipped");
});

test("task test counts type errors as failed, and still runs the tests", async () => {
  const source = `${HEAD}const n: number = "one";\ntest("a", () => void n);`;
  assert.deepEqual(await runTask("untyped_test.ts", source), {
    success: false,
    last: "1 passed, 1 failed, 0 skipped",
  });
});

test("task test fails if no test ran", async () => {
  assert.deepEqual(await runTask("empty_test.ts", "export {};"), {
    success: false,
    last: "0 passed, 0 failed, 0 skipped",
  });
});

test("task test stops a test after its limit, reports its name and file, and runs the next one", async () => {
  const source = `${HEAD}
    test("waits for nothing", () => new Promise(() => setInterval(() => {}, 10)));
    test("loops", () => { while (true); });
    test("is fine", () => {});
    Deno.test("waits as well", () => new Promise(() => setInterval(() => {}, 10)));`;
  const { last, success, output } = await runFiles({ "slow_test.ts": source }, { env: SHORT });
  assert.deepEqual([last, success], ["1 passed, 3 failed, 0 skipped", false]);
  for (const name of ["waits for nothing", "loops", "waits as well"]) {
    assert.match(output, new RegExp(`${name} => \\S*slow_test\\.ts:\\d+`));
  }
  assert.match(output, /timed out after 500ms/i);
});

test("task test respects the timeout of a test", async () => {
  const source = `${HEAD}
    test("long", { timeout: 3_000 }, () => new Promise((resolve) => setTimeout(resolve, 1_000)));`;
  const { last } = await runFiles({ "long_test.ts": source }, { env: SHORT });
  assert.equal(last, "1 passed, 0 failed, 0 skipped");
});

test("task test counts a file that exceeds its limit as one failure, and runs the others", async () => {
  const sources = {
    "a_test.ts": `${HEAD}test("a", () => {}); while (true);`,
    "b_test.ts": `${HEAD}test("b", () => {}); await new Promise(() => setInterval(() => {}, 10));`,
    "c_test.ts": `${HEAD}test("c", () => {});`,
  };
  const { last, success, output } = await runFiles(sources, { env: SHORT });
  assert.deepEqual([last, success], ["1 passed, 2 failed, 0 skipped", false]);
  for (const name of ["a", "b"]) {
    assert.match(output, new RegExp(`Stopped after its limit of 4 s: \\S*${name}_test\\.ts`));
  }
});

/** Returns the source of a test that starts a program, writes its process id to a file, and never ends. */
function leaving(file: string): string {
  return `${HEAD}test("leaves a program", async () => {
    const { pid } = new Deno.Command("sleep", { args: ["600"] }).spawn();
    Deno.writeTextFileSync(${JSON.stringify(file)}, String(pid));
    await new Promise(() => setInterval(() => {}, 10));
  });`;
}

function runs(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

const skip = Deno.build.os === "linux" ? false : "/proc is not available";

test("task test stops the programs that a test leaves running", { skip }, async () => {
  const file = join(folder, "left");
  const { last } = await runFiles({ "leaving_test.ts": leaving(file) }, { env: SHORT });
  assert.equal(last, "0 passed, 1 failed, 0 skipped");
  assert.equal(runs(Number(await readFile(file, "utf8"))), false);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(
    `task test stops all its processes and prints the counts after ${signal}`,
    { skip },
    async () => {
      const file = join(folder, signal);
      const paths = await write({ "waiting_test.ts": leaving(file) });
      const child = new Deno.Command(Deno.execPath(), {
        args: [...COMMAND, ...paths],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      await eventually(async () => assert.match(await readFile(file, "utf8"), /^\d+$/), 50_000);
      child.kill(signal);
      const { code, stdout } = await child.output();
      assert.equal(code, 1);
      const last = new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1);
      assert.equal(last, "0 passed, 1 failed, 0 skipped");
      assert.equal(runs(Number(await readFile(file, "utf8"))), false);
    },
  );
}

test("task test --quick skips tests that need a server, a browser or another process", async () => {
  const sources = {
    "unit_test.ts": `${HEAD}test("a", () => {});`,
    "server_test.ts": `${HEAD}test("b", () => void Deno.Command);`,
  };
  const { last } = await runFiles(sources, { args: ["--quick"] });
  assert.equal(last, "1 passed, 0 failed, 0 skipped");
});
