import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CreateError, type PackageSource, type Runtime } from "./arguments.ts";
import { manifestFor, type ManifestParts, type Ranges, VENDOR } from "./manifests.ts";
import { COMMANDS, upgradeText } from "./texts.ts";

/** What a project is created from. */
export interface ProjectPlan {
  readonly folder: string;
  readonly runtime: Runtime;
  readonly source: PackageSource;
  /** The folder of the templates. */
  readonly templates: string;
  /** Version ranges of the packages that projects use. */
  readonly ranges: Ranges;
}

/** Names of template files, and their names in a project: npm packages cannot contain the latter. */
const RENAMED: Readonly<Record<string, string>> = {
  "gitignore": ".gitignore",
  "env.example": ".env.example",
};

/** Files of the template for other runtimes. */
const NOT_FOR: Readonly<Record<Runtime, readonly string[]>> = {
  deno: ["tsconfig.json"],
  node: [],
  bun: [],
};

/**
 * Writes a new project into a folder that is missing or empty, and returns what to do next.
 *
 * @throws {CreateError} The folder is not empty, its name cannot be the name of a project, or the tarball
 * is missing. Nothing has been written.
 */
export async function createProject(plan: ProjectPlan): Promise<string> {
  const folder = resolve(plan.folder);
  const name = nameOf(folder);
  await assertEmpty(folder);
  const { source, runtime } = plan;
  if ("tarball" in source) await assertFile(source.tarball);
  const files = await templateFiles(plan);
  await mkdir(folder, { recursive: true });
  const sluice = await provide(folder, source, runtime);
  const manifest = manifestFor(runtime, { name, sluice, ranges: plan.ranges });
  files.set(manifest.file, manifest.text);
  const vendored = sluice.tarball;
  const { title, install, run } = COMMANDS[runtime];
  const values = { name, title, install, run, upgrade: upgradeText(runtime, vendored).trimEnd() };
  for (const [path, text] of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    // An existing file is never replaced.
    await writeFile(target, fill(text, values), { flag: "wx" });
  }
  const steps = [`cd ${shellWord(plan.folder)}`, install, `${run} dev`];
  return [`Created ${name} for ${title}. Next:`, "", ...steps.map((step) => `  ${step}`)].join(
    "\n",
  );
}

/** Quotes a text for a shell, if it must be quoted. */
function shellWord(text: string): string {
  return /^[\w./~:@%+\\-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Returns the name of the folder as the name of an npm package, which `package.json` requires. */
function nameOf(folder: string): string {
  const name = basename(folder).toLowerCase();
  if (/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name) && name !== "node_modules") return name;
  throw new CreateError(
    `Cannot name a project after the folder "${
      basename(folder)
    }": use letters, digits, "-", "_" and ` +
      '".", and begin with a letter or a digit.',
  );
}

async function assertEmpty(folder: string): Promise<void> {
  try {
    const entries = await readdir(folder);
    if (entries.length === 0) return;
    throw new CreateError(
      `Cannot create a project in ${folder}: the folder is not empty. Nothing was changed.`,
    );
  } catch (error) {
    if (error instanceof CreateError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code === "ENOTDIR") {
      throw new CreateError(`Cannot create a project in ${folder}: it is not a folder.`);
    }
    throw error;
  }
}

async function assertFile(path: string): Promise<void> {
  const isFile = await stat(path).then((found) => found.isFile(), () => false);
  if (!isFile) throw new CreateError(`Cannot find the package: there is no file ${path}.`);
}

/** Reads the template of a runtime: the base, and the files that replace some of it. */
async function templateFiles({ templates, runtime }: ProjectPlan): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const part of ["base", runtime]) {
    const root = join(templates, part);
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter((entry) => entry.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const name = path.slice(root.length + 1);
      files.set(RENAMED[name] ?? name, await readFile(path, "utf8"));
    }
  }
  for (const name of NOT_FOR[runtime]) files.delete(name);
  files.set(".env", files.get(".env.example")!);
  return files;
}

/** Puts the tarball into the project; Deno links to its contents, because it installs no tarballs. */
async function provide(
  folder: string,
  source: PackageSource,
  runtime: Runtime,
): Promise<ManifestParts["sluice"]> {
  if ("version" in source) return { range: source.version };
  const vendor = join(folder, VENDOR);
  await mkdir(vendor);
  if (runtime !== "deno") {
    const tarball = `${VENDOR}/${basename(source.tarball)}`;
    await cp(source.tarball, join(folder, tarball));
    return { tarball, range: `file:${tarball}` };
  }
  const tarball = `${VENDOR}/sluice`;
  await mkdir(join(folder, tarball));
  const args = ["-xzf", resolve(source.tarball), "--strip-components=1", "-C", tarball];
  const { status, stderr, error } = spawnSync("tar", args, { cwd: folder, encoding: "utf8" });
  // The link decides which version is used.
  if (status === 0) return { tarball, range: "*" };
  throw new CreateError(`Cannot unpack ${source.tarball}: ${error?.message ?? stderr.trim()}`);
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/%(\w+)%/g, (whole, name: string) => values[name] ?? whole);
}
