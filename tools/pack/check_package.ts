import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { run } from "../provide/programs.ts";
import { findRuntime, provideRuntimes } from "../provide/runtimes.ts";
import { DEPENDENCIES, readProject } from "./manifest.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Time limit of each step, in milliseconds. */
const STEP_MS = 300_000;

/**
 * Largest client, minified and compressed, in bytes: what a page loads first. The fallback to plain
 * HTTP is a separate file, which only pages behind a proxy that breaks WebSockets load.
 */
const MAX_CLIENT_BYTES = 6_144;

/** Exports that take values of Deno's API, whose types only Deno has. */
const DENO_ONLY = ["./kv/deno", "./layers/kv", "./deno"];

/** Compilers that users may have: the current minor version, and the one before it. */
const COMPILERS = { "typescript": "^7.0.2", "typescript-previous": "npm:typescript@^6.0.3" };

/** What the checks of types and bundles need besides the package. */
const TOOLS = { ...COMPILERS, vite: "^8.0.0" };

/** Options under which the declarations must compile. */
const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    module: "NodeNext",
    lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noPropertyAccessFromIndexSignature: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  },
  files: ["consumer.ts"],
};

/** Imports every export, and prints those that fail. */
const IMPORTS = `
import { readFileSync } from "node:fs";
const { exports } = JSON.parse(readFileSync("node_modules/@sluice/sluice/package.json", "utf8"));
for (const name of Object.keys(exports).filter((name) => !name.endsWith(".json"))) {
  await import("@sluice/sluice" + name.slice(1)).catch((error) => {
    console.log(name + ": " + error.message);
    process.exitCode = 1;
  });
}
`;

const CLIENT = 'export { connect } from "@sluice/sluice/client";\n';

const NPM_INSTALL = ["install", "--no-audit", "--no-fund", "--loglevel=error"];

/** One check of the installed package: returns what to report, or throws. */
type Check = (folder: string) => Promise<string>;

/**
 * Installs a tarball into empty projects and checks what users would notice. Prints a line for each
 * check and returns whether all passed.
 */
export async function checkPackage(tarball: string): Promise<boolean> {
  await provideRuntimes((text) => console.log(`${text} …`));
  const directory = await mkdtemp(join(tmpdir(), "sluice-check-"));
  let isGood = true;
  const check = async (name: string, work: Check) => {
    const folder = join(directory, name.replaceAll(/\W+/g, "-"));
    await mkdir(folder);
    try {
      await writeProject(folder, resolve(tarball), work === withNpm ? TOOLS : {});
      console.log(`ok: ${name}${await work(folder)}`);
    } catch (error) {
      isGood = false;
      console.log(`not ok: ${name}\n${error instanceof Error ? error.message : error}`);
    }
  };
  try {
    await check("npm, Node 22 and 24, types, esbuild and Vite", withNpm);
    await check("pnpm", async (folder) => {
      await program("npx", ["-y", "pnpm@10", "install", "--silent"], folder);
      return await imports(findRuntime("node22")!, [], folder);
    });
    await check("Bun", async (folder) => {
      await program(findRuntime("bun")!, ["install", "--silent"], folder);
      return await imports(findRuntime("bun")!, [], folder);
    });
    await check("Deno", async (folder) => {
      // `deno install` takes no tarball: a published version needs no npm.
      await program("npm", NPM_INSTALL, folder);
      return await imports(Deno.execPath(), ["run", "-A"], folder);
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return isGood;
}

/** An empty project that depends on the package and on everything that it may use. */
async function writeProject(
  folder: string,
  tarball: string,
  tools: Readonly<Record<string, string>>,
): Promise<void> {
  const { imports: ranges } = await readProject(ROOT);
  const names = [...Object.keys(DEPENDENCIES), "@types/node", "@types/react"];
  const known = names.filter((name) => ranges[name] !== undefined).map((name) => {
    const range = ranges[name]!;
    return [name, range.slice(range.lastIndexOf("@") + 1)];
  });
  const dependencies = {
    ...Object.fromEntries(known),
    "@sluice/sluice": `file:${tarball}`,
    ...tools,
  };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies }),
  );
  await writeFile(join(folder, "imports.mjs"), IMPORTS);
  await writeFile(join(folder, "client.js"), CLIENT);
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  const typed = Object.keys((await readProject(ROOT)).exports)
    .filter((name) => !DENO_ONLY.includes(name))
    .map((name, index) => `export * as part${index} from "@sluice/sluice${name.slice(1)}";\n`);
  await writeFile(join(folder, "consumer.ts"), typed.join(""));
}

async function withNpm(folder: string): Promise<string> {
  await program("npm", NPM_INSTALL, folder);
  await imports(findRuntime("node22")!, [], folder);
  await imports(findRuntime("node24")!, [], folder);
  const node = findRuntime("node24")!;
  for (const compiler of Object.keys(COMPILERS)) {
    await program(node, [`node_modules/${compiler}/bin/tsc`, "-p", "."], folder);
  }
  return `: the client takes ${await bundleWithEsbuild(
    folder,
  )} bytes with esbuild, ${await bundleWithVite(
    node,
    folder,
  )} with Vite`;
}

async function bundleWithEsbuild(folder: string): Promise<number> {
  const { build, stop } = await import("esbuild");
  const result = await build({
    absWorkingDir: folder,
    entryPoints: ["client.js"],
    bundle: true,
    minify: true,
    splitting: true,
    outdir: "dist",
    format: "esm",
    target: "es2022",
    write: false,
  });
  await stop();
  const first = result.outputFiles.find(({ path }) => path.endsWith("client.js"))!;
  if (/^import\b|\bfrom"/m.test(first.text)) throw new Error("The client loads more than one file");
  return await measure(first.contents);
}

/** The page loads something else on demand, too, so that Vite's helper for that is not counted. */
async function bundleWithVite(node: string, folder: string): Promise<number> {
  const config = `export default { build: { target: "es2022", rollupOptions: {
    input: ["client.js", "page.js"], preserveEntrySignatures: "strict",
    output: { entryFileNames: "[name].js", format: "es" } } } };`;
  await writeFile(join(folder, "vite.config.js"), config);
  await writeFile(join(folder, "page.js"), 'import("./more.js");');
  await writeFile(join(folder, "more.js"), "export {};");
  await program(node, ["node_modules/vite/bin/vite.js", "build", "--logLevel=error"], folder);
  return await measure(await readFile(join(folder, "dist/client.js")));
}

async function measure(bundle: Uint8Array): Promise<number> {
  const { length } = await promisify(gzip)(bundle, { level: 9 });
  if (length <= MAX_CLIENT_BYTES) return length;
  throw new Error(`The client takes ${length} bytes, more than ${MAX_CLIENT_BYTES}`);
}

async function imports(command: string, args: string[], folder: string): Promise<string> {
  await program(command, [...args, "imports.mjs"], folder);
  return "";
}

async function program(command: string, args: string[], cwd: string): Promise<void> {
  const { success, output } = await run(command, args, { cwd, timeoutMs: STEP_MS });
  if (!success) throw new Error(`${command} ${args.join(" ")} failed:\n${output.slice(0, 4_000)}`);
}
