import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../provide/programs.ts";

/** The files that each file imports, by their paths from the root. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>;

const TIMEOUT_MS = 120_000;

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/**
 * Reads which of `files` import which, with `deno info`. Imports of types count; dynamic imports, which
 * run later, do not.
 *
 * @throws {Error} A file cannot be read as a module.
 */
export async function readImports(root: string, files: readonly string[]): Promise<ImportGraph> {
  const base = pathToFileURL(`${root}/`).href;
  const folder = await mkdtemp(join(tmpdir(), "sluice-imports-"));
  try {
    const entry = join(folder, "all.ts");
    const lines = files.map((file) => `import ${JSON.stringify(pathToFileURL(join(root, file)))};`);
    await writeFile(entry, lines.join("\n"));
    const args = ["info", "--json", "--config", join(root, "deno.json"), entry];
    const { success, stdout, output } = await run(Deno.execPath(), args, { timeoutMs: TIMEOUT_MS });
    if (!success) throw new Error(`deno info failed: ${output}`);
    return graphOf(JSON.parse(stdout) as Info, base);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function graphOf({ modules }: Info, base: string): ImportGraph {
  const graph = new Map<string, Set<string>>();
  for (const { specifier, dependencies = [] } of modules) {
    if (!specifier.startsWith(base)) continue;
    const imported = dependencies.filter(({ isDynamic }) => !isDynamic)
      .flatMap(({ code, type }) => [code?.specifier, type?.specifier])
      .filter((target) => target !== undefined && target.startsWith(base))
      .map((target) => pathOf(target!, base));
    graph.set(pathOf(specifier, base), new Set(imported));
  }
  return graph;
}

function pathOf(specifier: string, base: string): string {
  return decodeURI(specifier.slice(base.length));
}

/**
 * Returns the groups of files that import each other, directly or indirectly, each sorted. A file that
 * imports itself is a group of one.
 */
export function findCycles(graph: ImportGraph): string[][] {
  // Tarjan's algorithm for strongly connected components.
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const onPath = new Set<string>();
  const cycles: string[][] = [];
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return cycles.sort(([a = ""], [b = ""]) => a < b ? -1 : 1);

  function visit(file: string): void {
    const index = order.size;
    order.set(file, index);
    lowest.set(file, index);
    path.push(file);
    onPath.add(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      else if (!onPath.has(next)) continue;
      lowest.set(file, Math.min(lowest.get(file)!, lowest.get(next)!));
    }
    if (lowest.get(file) === index) close(file);
  }

  function close(file: string): void {
    const group = path.splice(path.indexOf(file));
    for (const member of group) onPath.delete(member);
    if (group.length > 1 || graph.get(file)?.has(file)) cycles.push(group.sort());
  }
}
