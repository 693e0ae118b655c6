/** What the files of one folder may import, besides the rest of that folder. */
export interface ImportRule {
  /** A file, or the beginning of the paths of several, from the root. */
  readonly files: string;
  /**
   * What they may import: a path or the beginning of one (`lib/protocol/`), a package
   * (`npm:valibot`, any with `npm:*`), a module of the runtime (`node:*`), an export of the toolkit
   * by its public name (`toolkit:client`, any with `toolkit:*`), or anything (`*`). After `!`: not
   * that. The first entry that fits decides.
   */
  readonly may: readonly string[];
  /** What they may import the types of. */
  readonly mayType?: readonly string[];
}

const CORE = [
  "node:*",
  "lib/scope.ts",
  "lib/guards.ts",
  "lib/internals.ts",
  "lib/promises.ts",
  "lib/small_set.ts",
  "lib/read_body.ts",
  "lib/ip_address.ts",
  "lib/protocol/",
];
const SERVER = ["lib/", "toolkit:*", "node:*", "app/", "consumers/", "routes/", "realtime.ts"];

/** Who may import whom. The first rule that fits a file is the one. */
export const IMPORT_TABLE: readonly ImportRule[] = [
  // The toolkit: each folder knows those before it, and the core knows no package.
  { files: "lib/protocol/", may: [] },
  { files: "lib/scope.ts", may: ["node:*", "lib/protocol/"] },
  { files: "lib/guards.ts", may: ["lib/scope.ts"] },
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

  // The browser's code: it may have types of the server's.
  {
    files: "islands/",
    may: ["toolkit:client", "toolkit:protocol", ...SERVER.map((entry) => `!${entry}`), "*"],
    mayType: ["!lib/", ...SERVER],
  },

  // The stand-in for Fresh knows nothing of what is built on it.
  { files: "compat/", may: ["node:*", "npm:*"] },
  { files: "tests/", may: ["*"] },
  { files: "tools/", may: ["*"] },
  { files: "bench/", may: ["*"] },

  // The app, and what grows in it, takes the toolkit by its public name, as a stranger would.
  { files: "", may: ["!lib/", "*"] },
];

/** Files that may use the `Deno` global: the adapters, by name. Outside `lib/` every file may. */
export const DENO_ADAPTER = /^(?!lib\/)|\/_?(?:deno|kv)_[^/]*\.ts$/;
