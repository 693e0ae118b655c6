/**
 * Checks the public API: the documentation is complete (`deno doc --lint`), each exported function and
 * class has an example, a name means one thing in all exports, and the number of names has a limit.
 *
 * `deno run -A tools/api.ts` prints the numbers; with `--names`, the names as well.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./provide/programs.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Highest number of distinct names over all exports. Lower it when names go. */
const MAX_NAMES = 172;

/** Names that each runtime, or each UI library, has for itself. */
const BY_PLATFORM: ReadonlySet<string> = new Set([
  "serve",
  "useHistory",
  "usePresence",
  "useSocket",
]);

const TIMEOUT_MS = 120_000;

/** One public name of one export. */
export interface PublicName {
  /** The export: `.`, `./auth`, … */
  readonly from: string;
  readonly name: string;
  /** File and line of its declaration. */
  readonly at: string;
  readonly kind: string;
  readonly hasExample: boolean;
}

interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind?: string;
    readonly def?: { readonly kind?: string };
    readonly location: { readonly filename: string; readonly line: number };
    readonly jsDoc?: { readonly tags?: readonly { readonly kind: string }[] };
  }[];
}

if (import.meta.main) {
  const names = await publicNames();
  const problems = [...checkNames(names), ...await lintDocs()];
  if (Deno.args.includes("--names")) {
    for (const { from, name, kind } of names) console.log(`${from} ${kind} ${name}`);
  }
  const examples = names.filter(({ hasExample }) => hasExample).length;
  console.log(`${distinct(names).length} names, ${examples} examples, ${problems.length} problems`);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exit(1);
}

/** Returns the names of all exports of the package. */
export async function publicNames(): Promise<PublicName[]> {
  const names: PublicName[] = [];
  for (const [from, file] of await readExports()) {
    const args = ["doc", "--json", join(ROOT, file)];
    const { stdout } = await run(Deno.execPath(), args, { timeoutMs: TIMEOUT_MS });
    const { nodes } = JSON.parse(stdout) as {
      nodes: Record<string, { symbols: readonly DocumentedSymbol[] }>;
    };
    for (const { symbols } of Object.values(nodes)) {
      for (const symbol of symbols) names.push(toPublicName(from, symbol));
    }
  }
  return names;
}

/** Checks the number of names, their meaning, and their examples. */
export function checkNames(names: readonly PublicName[]): string[] {
  const count = distinct(names).length;
  const tooMany = count > MAX_NAMES ? [`${count} public names, at most ${MAX_NAMES} allowed`] : [];
  const meanings = new Map<string, PublicName>();
  const ambiguous = names.flatMap((name) => {
    const first = meanings.get(name.name) ?? name;
    meanings.set(name.name, first);
    if (first.at === name.at || BY_PLATFORM.has(name.name)) return [];
    return [`${name.name} means one thing in ${first.from} and another in ${name.from}`];
  });
  const bare = names.filter(({ kind, hasExample }) =>
    (kind === "function" || kind === "class") && !hasExample
  ).map(({ at, name }) => `${at}: ${name} has no example`);
  return [...tooMany, ...ambiguous, ...new Set(bare)];
}

/** Returns what `deno doc --lint` finds in all exports together. */
export async function lintDocs(): Promise<string[]> {
  const files = (await readExports()).map(([, file]) => join(ROOT, file));
  const { success, output } = await run(Deno.execPath(), ["doc", "--lint", ...files], {
    env: { NO_COLOR: "1" },
    timeoutMs: TIMEOUT_MS,
  });
  if (success) return [];
  const found = [...output.matchAll(/^error\[[\w-]+\]: (.*)\n +--> (.*)$/gm)];
  return found.length === 0 ? [output] : found.map(([, problem, at]) => `${at}: ${problem}`);
}

async function readExports(): Promise<[name: string, file: string][]> {
  const config = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
  return Object.entries(config.exports as Record<string, string>);
}

function toPublicName(from: string, { name, declarations }: DocumentedSymbol): PublicName {
  const [first] = declarations;
  const { filename, line } = first!.location;
  return {
    from,
    name,
    at: `${filename.slice(filename.indexOf("/lib/") + 1)}:${line}`,
    kind: first!.kind ?? first!.def?.kind ?? "unknown",
    hasExample: declarations.some(({ jsDoc }) =>
      jsDoc?.tags?.some(({ kind }) => kind === "example") ?? false
    ),
  };
}

function distinct(names: readonly PublicName[]): string[] {
  return [...new Set(names.map(({ name }) => name))];
}
