import { test } from "node:test";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { staticSteps } from "../../tools/ok/steps.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("staticSteps() covers format, lint, types, docs, layout and publishing, but no tests", () => {
  const commands = staticSteps(root).map(([, args]) => args[0]);
  for (const command of ["fmt", "lint", "check", "run", "publish"]) {
    assert.ok(commands.includes(command), command);
  }
  assert.ok(!commands.includes("test") && !commands.includes("task"));
});

test("staticSteps() checks the documentation of every export", () => {
  // With `deno doc --lint`, see lintDocs().
  assert.ok(staticSteps(root).some(([, args]) => args.includes("tools/api.ts")));
});

test(".ci/run runs the static checks, and then the README's test command", async () => {
  const script = await readFile(`${root}.ci/run`, "utf8");
  const readme = await readFile(`${root}README.md`, "utf8");
  const [command = ""] = /npx -y deno@[\d.]+ task test/.exec(readme) ?? [];
  assert.ok(command);
  const checks = script.indexOf(command.replace("task test", "task ok --no-tests"));
  assert.ok(checks > 0 && script.lastIndexOf(command) > checks);
});
