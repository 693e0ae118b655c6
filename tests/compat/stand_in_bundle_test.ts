import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { bundle } from "../../compat/fresh/dev/bundle.ts";
import { withEsbuild } from "../../compat/fresh/dev/esbuild.ts";
import { resolver } from "../../compat/fresh/dev/resolver.ts";
import { resolveConfig } from "../../compat/fresh/dev/config.ts";
import { FIXTURE, standInTest as test } from "../support/compat/fresh_app.ts";

const config = resolveConfig({ root: FIXTURE });
const island = (name: string) => join(FIXTURE, "islands", name);

async function bundleText(files: string[]): Promise<string> {
  const { files: scripts } = await bundle(config, files);
  const decoder = new TextDecoder();
  return [...scripts.values()].map(({ content }) => decoder.decode(content)).join("\n");
}

/** Bundles an island with the given code. */
async function bundleCode(code: string): Promise<string> {
  const root = await Deno.makeTempDir();
  try {
    const file = join(root, "Island.tsx");
    await Deno.writeTextFile(file, code);
    return await bundleText([file]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

test("bundle() contains one copy of Preact for all importers", async () => {
  const text = await bundleText([island("Counter.tsx"), island("Panel.tsx"), island("Titled.tsx")]);
  assert.equal(text.match(/"http:\/\/www\.w3\.org\/1998\/Math\/MathML"/g)?.length, 1);
});

test("bundle() contains one copy of preact/hooks for islands and their packages", async () => {
  const plugins = [resolver("test")];
  const entryPoints = ["Countdown.tsx", "Counter.tsx"].map(island);
  const { metafile } = await withEsbuild(({ build }) =>
    build({
      entryPoints,
      plugins,
      bundle: true,
      metafile: true,
      write: false,
      outdir: FIXTURE,
      absWorkingDir: FIXTURE,
      jsx: "automatic",
      jsxImportSource: "preact",
      logLevel: "silent",
    })
  );
  const copies = Object.keys(metafile.inputs).filter((file) => /\bhooks\b.*\.m?js$/.test(file));
  assert.equal(copies.length, 1, copies.join(", "));
});

test("bundle() keeps the first page below 16 KB, compressed", async () => {
  const { files } = await bundle(config, [island("Counter.tsx"), island("Panel.tsx")]);
  const sizes = [...files.values()].map(({ content }) => gzipSync(content).byteLength);
  assert.ok(sizes.reduce((sum, size) => sum + size) < 16_384, `${sizes}`);
});

test("bundle() omits <Head> if no island uses it", async () => {
  assert.doesNotMatch(await bundleText([island("Counter.tsx")]), /noscript/);
  assert.match(await bundleText([island("Titled.tsx")]), /noscript/);
});

test("bundle() resolves the project's own name and npm packages", async () => {
  const text = await bundleCode(`
    import { asset } from "fresh/runtime";
    import { batch } from "@preact/signals";
    import { useId } from "preact/hooks";
    export default () => <p id={useId()} title={asset("/a")} onClick={() => batch(() => {})} />;
  `);
  assert.match(text, /__frsh_c/);
});

test("bundle() resolves an npm package that the server has not loaded", async () => {
  const text = await bundleCode(`
    import { string } from "valibot";
    export default () => <p title={string().type} />;
  `);
  assert.match(text, /expects:"string"/);
});

test("bundle() replaces environment variables for browsers with constants", async () => {
  Deno.env.set("FRESH_PUBLIC_NAME", "inlined");
  Deno.env.set("SECRET_NAME", "kept");
  const text = await bundleCode(`
    const read = [Deno.env.get("FRESH_PUBLIC_NAME"), process.env.FRESH_PUBLIC_NAME];
    export default () => <p title={read.join("+")}>{Deno.env.get("SECRET_NAME")}</p>;
  `);
  assert.match(text, /"inlined","inlined"/);
  assert.doesNotMatch(text, /kept/);
});

test("bundle() names the island that imports a server-only module", async () => {
  await assert.rejects(
    bundleCode(`import "node:fs"; export default () => null;`),
    /"node:fs" is for servers: an island cannot use it \(.*Island\.tsx\)/,
  );
});

test("bundle() names the module that cannot be found", async () => {
  await assert.rejects(
    bundleCode(`import "no-such-package"; export default () => null;`),
    /no-such-package/,
  );
});

test("bundle() gives islands with equal file names separate scripts", async () => {
  const root = await Deno.makeTempDir();
  try {
    const files = ["a", "b"].map((folder) => join(root, folder, "Same.tsx"));
    for (const file of files) {
      await Deno.mkdir(dirname(file));
      await Deno.writeTextFile(file, "export default () => null;");
    }
    const { islands } = await bundle(resolveConfig({ root }), files);
    assert.deepEqual(Object.values(islands).map(({ name }) => name), ["Same", "Same_1"]);
    assert.notEqual(islands["a/Same.tsx"].file, islands["b/Same.tsx"].file);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
