import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, stop } from "esbuild";
import { PACKAGES, type Ranges } from "../create/manifests.ts";
import { archive, type BuiltPackage } from "./archive.ts";
import { rangeOf, readProject } from "./manifest.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const README = `# create-sluice

Creates a project that uses [Sluice](https://www.npmjs.com/package/@sluice/sluice): a chat room for
signed-in users, with its page, its sign-in and its tests.

\`\`\`sh
npm create sluice my-app -- --runtime node
bun create sluice my-app --runtime bun
deno init --npm sluice my-app --runtime deno
\`\`\`
`;

/** Returns the version ranges of the packages that new projects use: those of `deno.json`. */
export async function projectRanges(): Promise<Ranges> {
  const { imports } = await readProject(ROOT);
  return Object.fromEntries(PACKAGES.map((name) => [name, rangeOf(imports[name]!)]));
}

/** Writes the npm package `create-sluice` to a folder: one program without dependencies. */
export async function buildCreator(folder: string): Promise<BuiltPackage> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-creator-"));
  try {
    const target = join(directory, "package");
    await bundle(join(target, "create.js"));
    await cp(join(ROOT, "tools/create/template"), join(target, "template"), { recursive: true });
    await cp(join(ROOT, "LICENSE"), join(target, "LICENSE"));
    await writeFile(join(target, "README.md"), README);
    const { version, license } = await readProject(ROOT);
    const manifest = {
      name: "create-sluice",
      version,
      description: "Creates a project that uses Sluice: authenticated realtime",
      license,
      type: "module",
      bin: "./create.js",
      engines: { node: ">=22" },
      projectRanges: await projectRanges(),
    };
    await writeFile(join(target, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
    return await archive(directory, folder, `create-sluice-${version}.tgz`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, "tools/create/cli.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    logLevel: "warning",
  });
  await stop();
}
