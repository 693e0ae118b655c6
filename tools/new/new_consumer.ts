import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { addRoute } from "./add_route.ts";
import { consumerFiles, testPath } from "./consumer_files.ts";
import { parseConsumerName } from "./consumer_names.ts";
import { ScaffoldError } from "./scaffold_error.ts";

/** What was made. */
export interface NewConsumer {
  /** Where it is mounted. */
  readonly path: string;
  /** The files, from the root. */
  readonly written: readonly string[];
  /** The one of them that is its test. */
  readonly test: string;
}

/**
 * Writes a consumer with its messages and its test, and mounts it in `realtime.ts`.
 *
 * @throws {ScaffoldError} The name is none, or taken, or `realtime.ts` cannot be edited: then
 * nothing was written.
 */
export async function newConsumer(root: string, name: string): Promise<NewConsumer> {
  const names = parseConsumerName(name);
  const files = consumerFiles(names);
  const taken = Object.keys(files).find((file) => existsSync(join(root, file)));
  if (taken !== undefined) {
    throw new ScaffoldError(`Cannot make a consumer "${name}": there is a ${taken} already.`);
  }
  const all = { ...files, "realtime.ts": addRoute(await readRealtime(root), names) };
  for (const [file, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  await format(root, Object.keys(all));
  return { path: names.path, written: Object.keys(files), test: testPath(names) };
}

async function readRealtime(root: string): Promise<string> {
  try {
    return await readFile(join(root, "realtime.ts"), "utf8");
  } catch {
    throw new ScaffoldError("Cannot add a route: realtime.ts cannot be read.");
  }
}

/** A long name makes long lines. */
async function format(root: string, files: readonly string[]): Promise<void> {
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", ...files],
    cwd: root,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).output();
}
