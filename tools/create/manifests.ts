import type { Runtime } from "./arguments.ts";

/** Version ranges of the packages that projects depend on. */
export type Ranges = Readonly<Record<string, string>>;

/** Packages that every project uses when it runs. */
const ALWAYS = ["ioredis", "oidc-provider", "pg", "valibot"];

/** Packages that compile a project. */
const TOOLS = ["@types/node", "esbuild", "typescript"];

/** All packages that a project may depend on, besides Sluice. */
export const PACKAGES: readonly string[] = [...ALWAYS, "ws", ...TOOLS];

/** The folder of a project that holds Sluice, if it comes from a tarball. */
export const VENDOR = "vendor";

/** What a manifest is made from. */
export interface ManifestParts {
  readonly name: string;
  readonly sluice: {
    /** What the manifest says instead of a version range. */
    readonly range: string;
    /** The path of the package in the project, if it does not come from the registry. */
    readonly tarball?: string;
  };
  readonly ranges: Ranges;
}

/** Returns the manifest of a project, as the name and the text of its file. */
export function manifestFor(
  runtime: Runtime,
  parts: ManifestParts,
): { readonly file: string; readonly text: string } {
  const [file, manifest] = runtime === "deno"
    ? ["deno.json", denoManifest(parts)] as const
    : ["package.json", npmManifest(runtime, parts)] as const;
  return { file, text: `${JSON.stringify(manifest, undefined, 2)}\n` };
}

function npmManifest(runtime: "node" | "bun", { name, sluice, ranges }: ManifestParts): unknown {
  const isNode = runtime === "node";
  return {
    name,
    private: true,
    type: "module",
    ...isNode && { engines: { node: ">=22.18" } },
    scripts: isNode ? NODE_SCRIPTS : BUN_SCRIPTS,
    dependencies: {
      "@sluice/sluice": sluice.range,
      ...pick(ranges, isNode ? [...ALWAYS, "ws"] : ALWAYS),
    },
    devDependencies: pick(ranges, TOOLS),
  };
}

/** Node 22 prints a warning for TypeScript and for SQLite. */
const NODE = "node --disable-warning=ExperimentalWarning";
const WITH_ENV = `${NODE} --env-file-if-exists=.env`;

/** Explains why an older Node cannot run the project, which would fail with an unknown file type. */
const NODE_CHECK =
  `node -e "const [major, minor] = process.versions.node.split('.').map(Number); ` +
  "if (major < 22 || (major === 22 && minor < 18)) { " +
  "console.error('This project needs Node 22.18 or later, but this is ' + process.version); " +
  'process.exit(1); }"';

const NODE_SCRIPTS = {
  preinstall: NODE_CHECK,
  dev: `${WITH_ENV} --watch dev.ts`,
  build: `${NODE} build.ts`,
  check: "tsc",
  test: `tsc && ${NODE} --test "tests/*_test.ts"`,
  prestart: `${NODE} build.ts`,
  start: `${WITH_ENV} main.ts`,
};

const BUN_SCRIPTS = {
  dev: "bun --watch dev.ts",
  build: "bun run build.ts",
  check: "bun --bun tsc",
  test: "bun --bun tsc && bun test tests",
  prestart: "bun run build.ts",
  start: "bun main.ts",
};

function denoManifest({ sluice, ranges }: ManifestParts): unknown {
  const packages = pick(ranges, [...ALWAYS, "@types/node", "esbuild"]);
  // Without it, Deno asks the registry at each start for the package that is linked.
  const cached = sluice.tarball === undefined ? "" : "--cached-only ";
  return {
    tasks: {
      dev: `deno run -A ${cached}--env-file --watch dev.ts`,
      build: `deno run -A ${cached}build.ts`,
      check: "deno check",
      test: `deno test ${cached}-A`,
      start: {
        command: `deno run ${DENO_PERMISSIONS} ${cached}--env-file main.ts`,
        dependencies: ["build"],
      },
    },
    imports: {
      "@sluice/sluice": `npm:@sluice/sluice@${sluice.range}`,
      ...Object.fromEntries(
        Object.entries(packages).map(([name, range]) => [name, `npm:${name}@${range}`]),
      ),
    },
    ...sluice.tarball !== undefined && { links: [`./${sluice.tarball}`] },
    nodeModulesDir: "auto",
    unstable: ["kv", "no-legacy-abort"],
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noImplicitOverride: true,
      noUncheckedIndexedAccess: true,
      lib: ["deno.window", "deno.unstable", "dom", "dom.iterable", "dom.asynciterable"],
    },
    exclude: [VENDOR, "build"],
  };
}

/** What the server may do on Deno. */
const DENO_PERMISSIONS = "--allow-net --allow-env --allow-read --allow-write=data --allow-sys";

function pick(ranges: Ranges, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => {
    const range = ranges[name];
    if (range === undefined) throw new TypeError(`There is no version range of ${name}`);
    return [name, range];
  }));
}
