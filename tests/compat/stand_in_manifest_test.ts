import assert from "node:assert/strict";
import { join } from "node:path";
import { resolveConfig } from "../../compat/fresh/dev/config.ts";
import { isManifestStale, manifestText, writeManifest } from "../../compat/fresh/dev/manifest.ts";
import { FIXTURE, standInTest as test } from "../support/compat/fresh_app.ts";

const PROJECT = join(import.meta.dirname!, "../..");

for (const root of [FIXTURE, PROJECT]) {
  const skip = root === PROJECT && !exists(join(root, "dev.ts")) ? "there is no app yet" : false;
  test(`fresh.gen.ts is up to date in ${root}`, { skip }, async () => {
    assert.equal(await isManifestStale(resolveConfig({ root })), false);
  });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

test("manifestText() uses relative paths for modules and unchanged names for packages", () => {
  const config = { root: "/p", routeDir: "/p/src/routes" };
  const text = manifestText(config, {
    routes: ["/p/src/routes/[id].tsx"],
    islands: ["/elsewhere/B.tsx", "/p/islands/A.tsx", "npm:island@1"],
  });
  assert.match(text, /import \* as route0 from "\.\/src\/routes\/\[id\]\.tsx";/);
  assert.match(text, /import \* as island0 from "\.\.\/elsewhere\/B\.tsx";/);
  assert.match(text, /"\[id\]\.tsx": route0,/);
  assert.match(text, /"islands\/A\.tsx": island1,/);
  assert.match(text, /"npm:island@1": island2,/);
});

test("isManifestStale() detects an added route until the manifest is written", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(root, "routes"));
    await Deno.writeTextFile(join(root, "routes/index.ts"), "");
    const config = resolveConfig({ root });
    assert.equal(await isManifestStale(config), true);
    await writeManifest(config, { routes: [join(root, "routes/index.ts")], islands: [] });
    assert.equal(await isManifestStale(config), false);
    await Deno.writeTextFile(join(root, "routes/added.ts"), "");
    assert.equal(await isManifestStale(config), true);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

test("writeManifest() does not rewrite an unchanged file", async () => {
  const root = await Deno.makeTempDir();
  try {
    const config = resolveConfig({ root });
    await writeManifest(config, { routes: [], islands: [] });
    await Deno.chmod(join(root, "fresh.gen.ts"), 0o444);
    const before = (await Deno.stat(join(root, "fresh.gen.ts"))).mtime;
    await writeManifest(config, { routes: [], islands: [] });
    assert.deepEqual((await Deno.stat(join(root, "fresh.gen.ts"))).mtime, before);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
