import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archive, type BuiltPackage } from "./archive.ts";
import { run } from "../provide/programs.ts";
import { buildManifestOf, manifestOf, readProject } from "./manifest.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Time limit of each step, in milliseconds. */
const STEP_MS = 300_000;

/** Files of the repository that the package contains besides the code. */
const TEXTS = ["README.md", "LICENSE", "CHANGELOG.md"];

/**
 * Compiles the toolkit and writes its npm package to a folder.
 *
 * TypeScript compiles it, because `deno pack` writes declarations only for modules whose exports have
 * explicit types throughout. The same sources give the same tarball.
 *
 * @throws {Error} The code does not compile, or its declarations mention the `Deno` namespace.
 */
export async function buildPackage(folder: string, root: string = ROOT): Promise<BuiltPackage> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-pack-"));
  try {
    const project = await readProject(root);
    const target = join(directory, "package");
    await compile(root, directory, await buildManifestOf(root, project));
    await assertNoDeno(target);
    for (const text of TEXTS) await cp(join(root, text), join(target, text));
    const manifest = JSON.stringify(manifestOf(project), undefined, 2);
    await writeFile(join(target, "package.json"), `${manifest}\n`);
    const name = project.name.replace(/^@/, "").replace("/", "-");
    return await archive(directory, folder, `${name}-${project.version}.tgz`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function compile(root: string, directory: string, manifest: unknown): Promise<void> {
  await cp(join(root, "lib"), join(directory, "lib"), { recursive: true });
  await writeFile(join(directory, "package.json"), JSON.stringify(manifest));
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify(TSCONFIG));
  const types = await new Deno.Command(Deno.execPath(), { args: ["types"] }).output();
  await writeFile(join(directory, "deno.d.ts"), types.stdout);
  await writeFile(join(directory, "untyped.d.ts"), UNTYPED);
  await deno(directory, ["install", "--quiet", "--no-lock"]);
  const compiler = join(directory, "node_modules/typescript/bin/tsc");
  await deno(directory, ["run", "-A", compiler, "-p", directory]);
}

async function deno(cwd: string, args: string[]): Promise<void> {
  const { success, output } = await run(Deno.execPath(), args, { timeoutMs: STEP_MS, cwd });
  if (!success) throw new Error(`deno ${args[0]} failed:\n${output}`);
}

/** Packages without types, which no declaration of the toolkit mentions. */
const UNTYPED = 'declare module "oidc-provider";\n';

/** Syntax that every supported runtime and browser has; `using` becomes a call of a helper. */
const TSCONFIG = {
  compilerOptions: {
    rootDir: ".",
    outDir: "package",
    target: "ES2022",
    module: "NodeNext",
    lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    types: ["node"],
    strict: true,
    declaration: true,
    sourceMap: true,
    inlineSources: true,
    rewriteRelativeImportExtensions: true,
    skipLibCheck: true,
  },
  files: ["deno.d.ts", "untyped.d.ts"],
  include: ["lib/**/*.ts"],
};

/** Users of Node and Bun have no types of Deno. What takes a `Deno.Kv` is for Deno alone. */
async function assertNoDeno(target: string): Promise<void> {
  for (const path of await readdir(target, { recursive: true })) {
    if (!path.endsWith(".d.ts") || /\/kv\/(?:deno\/)?/.test(path)) continue;
    const text = (await readFile(join(target, path), "utf8")).replace(/\/\*.*?\*\//gs, "");
    if (/\bDeno\./.test(text)) throw new Error(`${path} mentions the Deno namespace`);
  }
}
