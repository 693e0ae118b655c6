import { readFile } from "node:fs/promises";

/** Packages that the toolkit imports, and whether every installation needs them. */
export const DEPENDENCIES: Readonly<Record<string, "always" | "optional">> = {
  "ioredis": "optional",
  "jose": "always",
  "oauth4webapi": "always",
  "oidc-provider": "optional",
  "pg": "optional",
  "preact": "optional",
  "react": "optional",
  "ws": "optional",
};

/** Packages that compile the toolkit. */
const BUILD_TOOLS = ["typescript", "@types/node", "@types/pg", "@types/react", "@types/ws"];

/** The parts of `deno.json` that the package is made from. */
interface Project {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** The contents of `package.json`. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { types: string; default: string }>>;
  readonly [key: string]: unknown;
}

/** Reads `deno.json` of a checkout. */
export async function readProject(root: string): Promise<Project> {
  return JSON.parse(await readFile(`${root}/deno.json`, "utf8"));
}

/** Returns the `package.json` of the published package. */
export function manifestOf(project: Project): Manifest {
  const { name, version, license, imports } = project;
  const ranges = (kind: "always" | "optional") =>
    Object.entries(DEPENDENCIES).filter(([dependency, need]) =>
      need === kind && imports[dependency] !== undefined
    )
      .map(([dependency]) => [dependency, rangeOf(imports[dependency]!)] as const);
  const peers = ranges("optional");
  return {
    name,
    version,
    description:
      "Authenticated realtime for Deno, Node and Bun: consumers, channel layers, presence",
    license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=22" },
    exports: { ...exportsOf(project), "./package.json": "./package.json" },
    dependencies: Object.fromEntries(ranges("always")),
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(peers.map(([peer]) => [peer, { optional: true }])),
  };
}

/** Returns the `package.json` of the folder in which the toolkit is compiled, with exact versions. */
export async function buildManifestOf(root: string, project: Project): Promise<unknown> {
  const { specifiers } = JSON.parse(await readFile(`${root}/deno.lock`, "utf8")) as {
    specifiers: Readonly<Record<string, string>>;
  };
  const exact = (dependency: string): [string, string] => {
    const specifier = Object.keys(specifiers).find((key) => key.startsWith(`npm:${dependency}@`));
    if (specifier === undefined) throw new Error(`deno.lock has no version of ${dependency}`);
    return [dependency, specifiers[specifier]!.replace(/_.*/, "")];
  };
  const names = [...Object.keys(DEPENDENCIES), ...BUILD_TOOLS];
  const used = names.filter((dependency) => project.imports[dependency] !== undefined);
  return { private: true, type: "module", dependencies: Object.fromEntries(used.map(exact)) };
}

function exportsOf({ exports }: Project): Manifest["exports"] {
  return Object.fromEntries(
    Object.entries(exports).map(([name, source]) => {
      const built = source.replace(/\.tsx?$/, "");
      return [name, { types: `${built}.d.ts`, default: `${built}.js` }];
    }),
  );
}

/** Returns the version range of an import such as `npm:ws@^8.23.0`. */
export function rangeOf(specifier: string): string {
  return specifier.slice(specifier.lastIndexOf("@") + 1);
}
