import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import assert from "node:assert/strict";
import {
  buildManifestOf,
  DEPENDENCIES,
  manifestOf,
  readProject,
} from "../../tools/pack/manifest.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Static and dynamic imports of packages. */
const PACKAGE = /(?:from|import\()\s*"((?:@[\w-]+\/)?[a-z][\w.-]*)(?:\/[^":]*)?"/g;

test("the package declares every package that lib/ imports", async () => {
  const imported = new Set<string>();
  for (const path of await readdir(`${ROOT}lib`, { recursive: true })) {
    if (!path.endsWith(".ts")) continue;
    const text = (await readFile(`${ROOT}lib/${path}`, "utf8")).replace(/\/\*.*?\*\//gs, "");
    for (const [, name] of text.matchAll(PACKAGE)) imported.add(name!);
  }
  imported.delete("@sluice/sluice");
  assert.deepEqual([...imported].filter((name) => DEPENDENCIES[name] === undefined), []);
});

test("manifestOf() gives each export its types, and makes large dependencies optional", async () => {
  const manifest = manifestOf(await readProject(ROOT));
  assert.deepEqual(manifest.exports["./node"], {
    types: "./lib/server/node/mod.d.ts",
    default: "./lib/server/node/mod.js",
  });
  const { peerDependenciesMeta, dependencies } = manifest;
  assert.deepEqual((peerDependenciesMeta as Record<string, unknown>).ws, { optional: true });
  assert.equal((dependencies as Record<string, unknown>).ws, undefined);
  assert.equal(manifest.sideEffects, false);
});

test("buildManifestOf() pins every package to the version of deno.lock", async () => {
  const manifest = await buildManifestOf(ROOT, await readProject(ROOT));
  const { dependencies } = manifest as { dependencies: Record<string, string> };
  assert.ok(Object.keys(dependencies).length > 5);
  for (const version of Object.values(dependencies)) assert.match(version, /^\d+\.\d+\.\d+/);
});
