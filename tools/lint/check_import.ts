import { IMPORT_TABLE, type ImportRule } from "./import_table.ts";

const TOOLKIT = "@sluice/sluice";

/**
 * Returns why `file` may not import `specifier`, or `undefined` if it may.
 *
 * @param file Path from the root, with `/`.
 * @param isType Whether the import is erased at compile time.
 */
export function checkImport(file: string, specifier: string, isType: boolean): string | undefined {
  const rule = IMPORT_TABLE.find(({ files }) => file.startsWith(files));
  if (!rule) return undefined;
  const target = targetOf(file, specifier);
  if (isPrivate(file, target)) return `${target} is private to its folder`;
  if (isOwnFolder(rule, target)) return undefined;
  const may = isType ? [...rule.mayType ?? [], ...rule.may] : rule.may;
  const first = may.find((entry) => fits(target, entry.replace(/^!/, "")));
  return first === undefined || first.startsWith("!") ? describe(rule, target) : undefined;
}

/** Returns the name of an import as used in the table: `lib/core/scope.ts`, `npm:ws`, `node:path`, `toolkit:client`. */
function targetOf(file: string, specifier: string): string {
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, `file:///${file}`).pathname.slice(1);
  if (specifier.startsWith("node:")) return specifier;
  if (specifier === TOOLKIT) return "toolkit:.";
  if (specifier.startsWith(`${TOOLKIT}/`)) return `toolkit:${specifier.slice(TOOLKIT.length + 1)}`;
  const name = specifier.replace(/^(npm|jsr):\/?/, "");
  const [scope = "", rest = ""] = name.split("/");
  const bare = (part: string) => part.replace(/(?<=.)@.*$/, "");
  return `npm:${scope.startsWith("@") ? `${scope}/${bare(rest)}` : bare(scope)}`;
}

/** Whether a target is a file `_x.ts` of the toolkit in a folder that does not contain `file`. */
function isPrivate(file: string, target: string): boolean {
  const [, folder] = /^(lib\/(?:.+\/)?)_[^/]+$/.exec(target) ?? [];
  return folder !== undefined && file.startsWith("lib/") && !file.startsWith(folder);
}

function isOwnFolder({ files }: ImportRule, target: string): boolean {
  const folder = files.slice(0, files.lastIndexOf("/") + 1);
  return folder !== "" && folder !== "lib/" && target.startsWith(folder);
}

function fits(target: string, entry: string): boolean {
  if (entry === "*" || entry === target) return true;
  if (entry.endsWith(":*")) return target.startsWith(entry.slice(0, -1));
  return entry.endsWith("/") && target.startsWith(entry);
}

function describe({ files, may, mayType = [] }: ImportRule, target: string): string {
  const types = mayType.map((entry) => `the types of ${entry}`);
  const all = [...may, ...types].filter((entry) => !entry.startsWith("!"));
  const only = may.includes("*") ? "" : `; it may import ${all.join(", ") || "nothing"}`;
  return `${files || "This file"} may not import ${target}${only}`;
}
