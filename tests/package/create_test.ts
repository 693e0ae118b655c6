import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { asksForHelp, readArguments, type Runtime } from "../../tools/create/arguments.ts";
import { CreateError } from "../../tools/create/arguments.ts";
import { createProject } from "../../tools/create/create_project.ts";
import { projectRanges } from "../../tools/pack/build_creator.ts";

const TEMPLATES = new URL("../../tools/create/template", import.meta.url).pathname;

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "sluice-create-test-"));
});
after(() => rm(scratch, { recursive: true, force: true }));

async function create(name: string, runtime: Runtime = "node"): Promise<string> {
  const ranges = await projectRanges();
  const folder = join(scratch, name);
  const source = { version: "^0.1.0" };
  return await createProject({ folder, runtime, source, templates: TEMPLATES, ranges });
}

test("readArguments() reads the folder, the runtime and the package", () => {
  const read = (...args: string[]) => readArguments(args, "Usage");
  assert.deepEqual(read("app"), { folder: "app", runtime: "deno" });
  assert.deepEqual(read("app", "--runtime", "bun"), { folder: "app", runtime: "bun" });
  const { source } = read("--package=../sluice-sluice-1.0.0.tgz", "app");
  assert.deepEqual(source, { tarball: "../sluice-sluice-1.0.0.tgz" });
  assert.deepEqual(read("app", "--package", "^1.2.0").source, { version: "^1.2.0" });
});

test("asksForHelp() finds --help and -h among the arguments", () => {
  assert.equal(asksForHelp(["app", "--help"]), true);
  assert.equal(asksForHelp(["-h"]), true);
  assert.equal(asksForHelp(["app", "--runtime", "bun"]), false);
});

test("readArguments() says what is wrong", () => {
  const wrong: [args: string[], message: RegExp][] = [
    [[], /Expected one folder, got 0\.\nUsage/],
    [["a", "b"], /Expected one folder, got 2/],
    [["a", "--runtime", "php"], /--runtime is "php", but accepts deno, node or bun/],
    [["a", "--runtime"], /--runtime/],
    [["a", "--colour"], /^Unknown option '--colour'\.\nUsage$/],
    [["a", "--package", "../some folder"], /--package is "\.\.\/some folder"/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(() => readArguments(args, "Usage"), (error) => {
      assert.ok(error instanceof CreateError);
      assert.match(error.message, message);
      return true;
    });
  }
});

test("createProject() writes a project that depends on the package", async () => {
  assert.match(await create("my-app"), /npm install\n {2}npm run dev$/);
  const read = (path: string) => readFile(join(scratch, "my-app", path), "utf8");
  const manifest = JSON.parse(await read("package.json"));
  assert.equal(manifest.name, "my-app");
  assert.equal(manifest.dependencies["@sluice/sluice"], "^0.1.0");
  for (const name of ["dev", "test", "start"]) assert.ok(manifest.scripts[name], name);
  assert.match(manifest.scripts.preinstall, /needs Node 22\.18 or later/);
  assert.match(await read(".gitignore"), /^\.env$/m);
  assert.match(await read("README.md"), /npm update @sluice\/sluice/);
  assert.match(await read("server/runtime.ts"), /sluice\/node/);
  for (const entry of await readdir(join(scratch, "my-app"), { recursive: true })) {
    const path = join(scratch, "my-app", entry);
    if ((await stat(path)).isFile()) {
      assert.doesNotMatch(await readFile(path, "utf8"), /%\w+%/, entry);
    }
  }
});

test("createProject() quotes a path with spaces for the shell", async () => {
  assert.ok((await create("it's here/app")).includes(`cd '${scratch}/it'\\''s here/app'\n`));
});

test("createProject() adapts a project to Deno and Bun", async () => {
  await create("for-deno", "deno");
  const manifest = JSON.parse(await readFile(join(scratch, "for-deno/deno.json"), "utf8"));
  assert.equal(manifest.imports["@sluice/sluice"], "npm:@sluice/sluice@^0.1.0");
  const files = await readdir(join(scratch, "for-deno"));
  assert.ok(!files.includes("package.json") && !files.includes("tsconfig.json"), files.join());
  await create("for-bun", "bun");
  assert.match(await readFile(join(scratch, "for-bun/server/runtime.ts"), "utf8"), /sluice\/bun/);
});

test("createProject() refuses a folder that is not empty, and loses nothing in it", async () => {
  await mkdir(join(scratch, "used"));
  await writeFile(join(scratch, "used/README.md"), "mine");
  await assert.rejects(create("used"), /the folder is not empty\. Nothing was changed/);
  assert.deepEqual(await readdir(join(scratch, "used")), ["README.md"]);
  assert.equal(await readFile(join(scratch, "used/README.md"), "utf8"), "mine");
  await assert.rejects(create("used/README.md"), /it is not a folder/);
  await mkdir(join(scratch, "empty"));
  await create("empty");
});

test("createProject() writes nothing if the name or the package is wrong", async () => {
  await assert.rejects(create("a b"), /Cannot name a project after the folder "a b"/);
  await assert.rejects(create("node_modules"), /Cannot name a project after the folder "node_m/);
  const wrong = createProject({
    folder: join(scratch, "none"),
    runtime: "node",
    source: { tarball: join(scratch, "missing.tgz") },
    templates: TEMPLATES,
    ranges: await projectRanges(),
  });
  await assert.rejects(wrong, /there is no file .*missing\.tgz/);
  const names = await readdir(scratch);
  assert.ok(!names.includes("a b") && !names.includes("none"), names.join());
});
