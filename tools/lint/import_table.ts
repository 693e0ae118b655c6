/** The imports that the files of one folder may use, besides files of the same folder. */
export interface ImportRule {
  /** A file, or a path prefix, from the root. */
  readonly files: string;
  /**
   * Allowed imports: a path or path prefix (`lib/protocol/`), a package (`npm:valibot`, any with
   * `npm:*`), a runtime module (`node:*`), a toolkit export by its public name (`toolkit:client`, any
   * with `toolkit:*`), or anything (`*`). `!` excludes an entry. The first matching entry decides.
   */
  readonly may: readonly string[];
  /** Allowed type imports. */
  readonly mayType?: readonly string[];
}

const CORE = [
  "node:*",
  "lib/scope.ts",
  "lib/guards.ts",
  "lib/within.ts",
  "lib/internals.ts",
  "lib/promises.ts",
  "lib/small_set.ts",
  "lib/read_body.ts",
  "lib/ip_address.ts",
  "lib/protocol/",
];
const SERVER = ["lib/", "toolkit:*", "node:*", "app/", "consumers/", "routes/", "realtime.ts"];

/** The import rules. The first rule that matches a file applies. */
export const IMPORT_TABLE: readonly ImportRule[] = [
  // The toolkit: each folder may import earlier ones, and the core imports no package.
  { files: "lib/protocol/", may: [] },
  { files: "lib/scope.ts", may: ["node:*", "lib/protocol/"] },
  { files: "lib/guards.ts", may: ["lib/scope.ts"] },
  { files: "lib/within.ts", may: ["lib/scope.ts"] },
  { files: "lib/promises.ts", may: [] },
  { files: "lib/small_set.ts", may: [] },
  { files: "lib/read_body.ts", may: ["node:*", "lib/scope.ts", "lib/protocol/"] },
  { files: "lib/ip_address.ts", may: ["node:*"] },
  { files: "lib/internals.ts", may: ["lib/scope.ts"] },
  { files: "lib/client/", may: ["lib/protocol/"] },
  { files: "lib/layers/", may: CORE },
  { files: "lib/sessions/", may: CORE },
  { files: "lib/routing/", may: CORE },
  { files: "lib/gossip/", may: CORE },
  { files: "lib/security/", may: [...CORE, "lib/gossip/"] },
  {
    files: "lib/auth/",
    may: [...CORE, "lib/sessions/", "npm:oauth4webapi", "npm:jose", "npm:oidc-provider"],
  },
  { files: "lib/consumers/", may: [...CORE, "lib/layers/"] },
  { files: "lib/presence/", may: [...CORE, "lib/layers/", "lib/gossip/"] },
  { files: "lib/server/", may: CORE },
  { files: "lib/testing/", may: ["!lib/mod.ts", "node:*", "lib/"] },
  { files: "lib/", may: ["node:*", "lib/"] },

  // Browser code may import types of server code.
  {
    files: "islands/",
    may: ["toolkit:client", "toolkit:protocol", ...SERVER.map((entry) => `!${entry}`), "*"],
    mayType: ["!lib/", ...SERVER],
  },

  // The stand-in for Fresh does not depend on the code that uses it.
  { files: "compat/", may: ["node:*", "npm:*"] },
  { files: "tests/", may: ["*"] },
  { files: "tools/", may: ["*"] },
  { files: "bench/", may: ["*"] },

  // The app and its extensions import the toolkit by its public name, as external code would.
  { files: "", may: ["!lib/", "*"] },
];

/** Files that may use the `Deno` global: adapters, by name, and all files outside `lib/`. */
export const DENO_ADAPTER = /^(?!lib\/)|\/_?(?:deno|kv)_[^/]*\.ts$/;
