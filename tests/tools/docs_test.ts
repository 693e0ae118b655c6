import { test } from "node:test";
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { CloseCode } from "@sluice/sluice/protocol";
import { checkDocs, checkLinks, checkReadme, checkTraces } from "../../tools/docs.ts";
import { checkBlocks, checkCommands, checkTranscripts } from "../../tools/docs/check_code.ts";
import { readFences } from "../../tools/docs/fences.ts";

test("the documentation passes its checks", async () => {
  assert.deepEqual(await checkDocs(fileURLToPath(new URL("../../", import.meta.url))), []);
});

test("checkReadme() requires the commands at the top, and limits the length", () => {
  const commands = "# Sluice\nnpx -y deno@2.9.6 task start\nnpx -y deno@2.9.6 task test\n";
  const program = "```ts\n1;\n```\n";
  const top = commands + program;
  assert.deepEqual(checkReadme(top + "line\n".repeat(144)), []);
  assert.equal(checkReadme(top + "line\n".repeat(145)).length, 1);
  assert.equal(checkReadme("\n".repeat(13) + top).length, 1);
});

test("checkReadme() requires a program of at most 15 lines of code", () => {
  const commands = "npx -y deno@2.9.6 task start\nnpx -y deno@2.9.6 task test\n";
  const readme = (lines: number) => `${commands}\`\`\`ts\n${"1;\n\n".repeat(lines)}\`\`\`\n`;
  assert.deepEqual(checkReadme(readme(15)), []);
  assert.match(checkReadme(readme(16))[0]!, /^README\.md:3: the program has 16 lines/);
  assert.deepEqual(checkReadme(commands), ["README.md: no program"]);
});

test("checkLinks() finds broken links, with their line", () => {
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
    "docs/index.md:2: no such file: missing.md",
    "docs/index.md:2: no such file: missing.png",
    "docs/index.md:7: no such file: ./nowhere.md",
  ]);
});

test("checkTraces() finds absolute paths and registry hosts", () => {
  const registry = ["https://registry", "npmjs", "org"].join(".");
  for (const trace of ["/" + "root/x", "cd /" + "home/ada", `"/` + `work/main"`, registry]) {
    assert.equal(checkTraces("a.md", `one\n${trace}`).length, 1, trace);
  }
  for (const fine of ["./work/main", "https://example.com/home/x", "docs/home/", "/rooms/lobby"]) {
    assert.deepEqual(checkTraces("a.md", fine), [], fine);
  }
});

test("checkBlocks() finds TypeScript that is not compiled", () => {
  const page = (info: string) => `# x\n\n\`\`\`${info}\nconst a = 1;\n\`\`\`\n`;
  for (const fine of ["ts", "tsx", "ts ignore file=a.ts", "json", "sh ignore", "text"]) {
    assert.deepEqual(checkBlocks("docs/a.md", page(fine)), [], fine);
  }
  for (const wrong of ["ts ignore", "tsx ignore", "ts file=a.ts"]) {
    assert.equal(checkBlocks("docs/a.md", page(wrong)).length, 1, wrong);
    assert.match(checkBlocks("docs/a.md", page(wrong))[0]!, /^docs\/a\.md:3: /);
    assert.equal(checkBlocks("README.md", page(wrong)).length, 1, wrong);
  }
});

test("checkCommands() finds missing tasks and scripts", () => {
  const options = { tasks: new Set(["start", "new"]), root: "." };
  const text = [
    "`deno task start` and `npx -y deno@2.9.6 task new`, `deno task` alone, `deno task …`",
    "deno task strat",
    "deno run -A examples/nothing.ts",
    "deno run -A tools/docs.ts",
    "deno run -A made.js",
    "```js file=made.js\n1;\n```",
  ].join("\n");
  assert.deepEqual(checkCommands("docs/a.md", text, options), [
    "docs/a.md:2: no such task: strat",
    "docs/a.md:3: no such file: examples/nothing.ts",
  ]);
});

test("checkTranscripts() finds a curl that is not run", () => {
  const page = (info: string) => `\`\`\`${info}\n$ curl http://127.0.0.1:8000/\n\`\`\`\n`;
  assert.deepEqual(checkTranscripts("docs/a.md", page("console")), []);
  assert.deepEqual(checkTranscripts("docs/a.md", page("sh ignore")), []);
  assert.equal(checkTranscripts("docs/a.md", page("sh")).length, 1);
});

test("readFences() reads language, attributes and text, also of indented and longer fences", () => {
  const text = "a\n```ts ignore file=a.ts\nx\n```\n- b\n  ````md\n  ```\n  y\n  ````\n";
  const [first, second, ...rest] = readFences(text);
  assert.deepEqual([first?.language, first?.text, first?.line], ["ts", "x\n", 2]);
  assert.deepEqual([...first!.attributes], [["ignore", true], ["file", "a.ts"]]);
  assert.deepEqual([second?.language, second?.text, second?.line], ["md", "```\ny\n", 6]);
  assert.equal(rest.length, 0);
});

/** Reads the members of a string union from its source. */
async function membersOf(file: string, type: string): Promise<string[]> {
  const text = await readFile(new URL(`../../lib/protocol/${file}`, import.meta.url), "utf8");
  const [, union = ""] = new RegExp(`export type ${type} =([^;]*);`).exec(text) ??
    /readonly code:([^;]*);/.exec(text) ?? [];
  return [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code = ""]) => code);
}

/** Reads the codes of all refusals that the toolkit creates. */
async function codesOfRefusals(): Promise<string[]> {
  const lib = fileURLToPath(new URL("../../lib/", import.meta.url));
  const files = (await readdir(lib, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const texts = await Promise.all(files.map((file) => readFile(lib + file, "utf8")));
  return texts.flatMap((text) => [...text.matchAll(/new Refusal\(\s*"([A-Z_]+)"/g)])
    .map(([, code = ""]) => code);
}

test("docs/protocol.md lists all codes", async () => {
  const page = await readFile(new URL("../../docs/protocol.md", import.meta.url), "utf8");
  const refusals = await membersOf("refusal.ts", "RefusalCode");
  const others = await codesOfRefusals();
  const errors = await membersOf("errors.ts", "FrameErrorCode");
  assert.ok(refusals.length > 5 && errors.length > 5 && others.length > 5);
  const codes = new Set([...refusals, ...others, ...errors]);
  const missing = [...codes].filter((code) => !page.includes(`\`${code}\``));
  const closes = Object.values(CloseCode).filter((code) => !page.includes(String(code)));
  assert.deepEqual([...missing, ...closes], []);
});
