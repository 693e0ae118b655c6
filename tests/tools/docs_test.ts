import { test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { checkDocs, checkLinks, checkReadme, checkTraces } from "../../tools/docs.ts";

test("the documentation keeps what it promises", async () => {
  assert.deepEqual(await checkDocs(fileURLToPath(new URL("../../", import.meta.url))), []);
});

test("checkReadme() wants the commands at the top, and an end", () => {
  const top = "# Sluice\nnpx -y deno@2.9.6 task start\nnpx -y deno@2.9.6 task test\n";
  assert.deepEqual(checkReadme(top + "line\n".repeat(147)), []);
  assert.equal(checkReadme(top + "line\n".repeat(148)).length, 1);
  assert.equal(checkReadme("\n".repeat(13) + top).length, 1);
});

test("checkLinks() finds links that lead nowhere, with their line", () => {
  const exists = (path: string) => path === "docs/guide.md" || path === "README.md";
  const text = [
    "[a](guide.md) [b](../README.md#start) [c](https://example.com/x) [d](#here)",
    "[e](missing.md) ![f](<missing.png>)",
    "`[g](code.md)`",
    "```md",
    "[h](code.md)",
    "```",
    "[i]: ./nowhere.md",
  ].join("\n");
  assert.deepEqual(checkLinks("docs/index.md", text, exists), [
    "docs/index.md:2: there is no missing.md",
    "docs/index.md:2: there is no missing.png",
    "docs/index.md:7: there is no ./nowhere.md",
  ]);
});

test("checkTraces() finds paths of a machine and hosts of registries", () => {
  const registry = ["https://registry", "npmjs", "org"].join(".");
  for (const trace of ["/" + "root/x", "cd /" + "home/ada", `"/` + `work/main"`, registry]) {
    assert.equal(checkTraces("a.md", `one\n${trace}`).length, 1, trace);
  }
  for (const fine of ["./work/main", "https://example.com/home/x", "docs/home/", "/rooms/lobby"]) {
    assert.deepEqual(checkTraces("a.md", fine), [], fine);
  }
});
