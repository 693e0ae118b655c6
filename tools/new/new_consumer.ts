import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { addRoute } from "./add_route.ts";
import { consumerFiles, testPath } from "./consumer_files.ts";
import { parseConsumerName, ScaffoldError } from "./consumer_names.ts";

/** A new consumer. */
export interface NewConsumer {
  /** The path of its route. */
  readonly path: string;
  /** Its files, as paths from the root. */
  readonly written: readonly string[];
  /** The file with its test. */
  readonly test: string;
}

/**
 * Writes a consumer with its messages and its test, and mounts it in `realtime.ts`.
 *
 * @throws {ScaffoldError} The name is invalid or taken, or `realtime.ts` cannot be edited. Nothing was
 * written.
 */
export async function newConsumer(root: string, name: string): Promise<NewConsumer> {
  const names = parseConsumerName(name);
  const files = consumerFiles(names);
  const taken = Object.keys(files).find((file) => existsSync(join(root, file)));
  if (taken !== undefined) {
    throw new ScaffoldError(`Cannot create a consumer "${name}": ${taken} already exists.`);
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
    throw new ScaffoldError("Cannot add a route: cannot read realtime.ts.");
  }
}

/** Formats the files, because a long name makes long lines. */
async function format(root: string, files: readonly string[]): Promise<void> {
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", ...files],
    cwd: root,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).output();
}
