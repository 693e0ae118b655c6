import { readFile } from "node:fs/promises";
import { test } from "node:test";
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

const GUIDES: readonly (readonly [guide: string, folder: string, programs: readonly string[]])[] = [
  ["library", "servers", ["realtime", "deno_serve", "prefix"]],
  ["node", "servers", ["express", "fastify", "hono_node"]],
  ["bun", "servers", ["hono_bun"]],
  ["own_users", "own_sessions", ["better_auth", "express_session", "jwt", "api_keys"]],
];

for (const [guide, folder, programs] of GUIDES) {
  test(`docs/guides/${guide}.md shows the programs that the tests run`, async () => {
    const text = await readFile(new URL(`docs/guides/${guide}.md`, ROOT), "utf8");
    const blocks = [...text.matchAll(/```js(?: ignore)?\n(.*?)```/gs)].map(([, code]) =>
      code!.trim()
    );
    const read = (name: string) => readFile(new URL(`examples/${folder}/${name}.js`, ROOT), "utf8");
    const sources = await Promise.all(programs.map(read));
    assert.deepEqual(blocks, sources.map((source) => source.trim()));
  });
}

test("docs/guides/other_origin.md shows files of the example", async () => {
  const text = await readFile(new URL("docs/guides/other_origin.md", ROOT), "utf8");
  const blocks = [...text.matchAll(/```tsx? ignore file=(\S+)\n(.*?)```/gs)];
  assert.equal(blocks.length, 2);
  for (const [, file, code] of blocks) {
    const source = await readFile(new URL(`examples/other_origin/${file}`, ROOT), "utf8");
    assert.equal(code, source, file);
  }
});
