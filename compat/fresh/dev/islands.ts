import type { ComponentType } from "preact";
import type { Island } from "../build/snapshot.ts";
import type { Manifest } from "./manifest.ts";

/** Returns each function that an island module exports, with its browser script. */
export function registerIslands(
  { islands }: Manifest,
  scripts: Record<string, { file: string; name: string }>,
): Map<unknown, Island> {
  const registry = new Map<unknown, Island>();
  for (const [key, module] of Object.entries(islands)) {
    const script = scripts[key];
    if (script === undefined) throw new Error(`"${key}" is in fresh.gen.ts but not in the build`);
    for (const [exportName, value] of Object.entries(module)) {
      if (typeof value !== "function") continue;
      const name = exportName === "default" ? script.name : `${script.name}.${exportName}`;
      registry.set(value, {
        file: script.file,
        name,
        exportName,
        fn: value as ComponentType,
        css: [],
      });
    }
  }
  return registry;
}
