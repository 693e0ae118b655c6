import { existsSync } from "node:fs";
import { join } from "node:path";
import { FROZEN } from "../test/run_tests.ts";

/** A check: its name, and the arguments of `deno` that run it. */
export type Step = readonly [name: string, args: readonly string[]];

/** Returns the checks that need no tests: all that `deno task ok --no-tests` and CI run. */
export function staticSteps(root: string): readonly Step[] {
  const existing = (paths: readonly string[]) =>
    paths.filter((path) => existsSync(join(root, path)));
  return [
    ["format", ["fmt", "--check"]],
    ["lint", ["lint"]],
    ["types", ["check", ...FROZEN, "."]],
    [
      "types of the examples",
      ["check", "--doc-only", ...FROZEN, ...existing(["lib", "docs", "README.md"])],
    ],
    ["documentation, names and examples of the exports", ["run", "-A", "tools/api.ts"]],
    ["layout", ["run", "-A", "tools/layout.ts"]],
    ["publish (dry run)", ["publish", "--dry-run", "--allow-dirty"]],
  ];
}
