import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../../tools/provide/programs.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

interface Graph {
  readonly roots: readonly string[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

/** Returns the npm packages that a file imports, itself or through others. */
async function packagesOf(file: string, { dynamic }: { dynamic: boolean }): Promise<string[]> {
  const args = ["info", "--json", "--frozen", join(ROOT, file)];
  const { stdout } = await run(Deno.execPath(), args, { timeoutMs: 60_000 });
  const { roots, redirects, modules }: Graph = JSON.parse(stdout);
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const seen = new Set<string>();
  const next = [...roots];
  for (let specifier = next.pop(); specifier !== undefined; specifier = next.pop()) {
    if (seen.has(specifier)) continue;
    seen.add(specifier);
    for (const { isDynamic, code } of bySpecifier.get(specifier)?.dependencies ?? []) {
      if (isDynamic && !dynamic) continue;
      if (code?.specifier) next.push(redirects[code.specifier] ?? code.specifier);
    }
  }
  const names = [...seen].map((specifier) => /^npm:\/?(@?[^@]+)/.exec(specifier)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined).sort();
}

test("the front door imports no package", async () => {
  assert.deepEqual(await packagesOf("lib/mod.ts", { dynamic: true }), []);
});

test("only the export auth/dev can reach oidc-provider", async () => {
  const config = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
  const exports = Object.entries(config.exports as Record<string, string>);
  const reaching = [];
  for (const [name, file] of exports) {
    const packages = await packagesOf(file, { dynamic: true });
    if (packages.includes("oidc-provider")) reaching.push(name);
  }
  assert.deepEqual(reaching, ["./auth/dev"]);
});

test("the app loads oidc-provider only when the development sign-in is used", async () => {
  const loaded = await packagesOf("main.ts", { dynamic: false });
  assert.ok(loaded.includes("oauth4webapi"), String(loaded));
  assert.ok(!loaded.includes("oidc-provider"), String(loaded));
});
