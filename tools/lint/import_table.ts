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

const CORE = ["node:*", "lib/core/", "lib/protocol/", "lib/time/"];
const SERVER = ["lib/", "toolkit:*", "node:*", "app/", "consumers/", "routes/", "realtime.ts"];

/** The import rules. The first rule that matches a file applies. */
export const IMPORT_TABLE: readonly ImportRule[] = [
  // The toolkit: each folder may import earlier ones, and the core imports no package.
  { files: "lib/protocol/", may: [] },
  { files: "lib/core/", may: ["node:*", "lib/protocol/"] },
  { files: "lib/time/", may: ["node:*", "lib/core/", "lib/protocol/"] },
  { files: "lib/client/react/", may: ["lib/client/", "lib/protocol/", "npm:react"] },
  { files: "lib/client/preact/", may: ["lib/client/", "lib/protocol/", "npm:preact"] },
  { files: "lib/client/", may: ["lib/protocol/", "lib/time/retry_pause.ts"] },
  { files: "lib/kv/postgres/", may: [...CORE, "lib/kv/", "npm:pg"] },
  { files: "lib/kv/", may: CORE },
  { files: "lib/redis/", may: [...CORE, "npm:ioredis"] },
  { files: "lib/layers/", may: [...CORE, "lib/kv/", "lib/redis/"] },
  { files: "lib/sessions/", may: [...CORE, "lib/cluster/", "lib/kv/"] },
  { files: "lib/routing/", may: CORE },
  { files: "lib/cluster/", may: CORE },
  { files: "lib/security/", may: [...CORE, "lib/cluster/", "lib/kv/"] },
  {
    files: "lib/auth/",
    may: [
      ...CORE,
      "lib/kv/",
      "lib/sessions/",
      "npm:oauth4webapi",
      "npm:jose",
      "npm:oidc-provider",
    ],
  },
  {
    files: "lib/streams/http/",
    may: [...CORE, "lib/layers/", "lib/streams/", "lib/consumers/"],
  },
  { files: "lib/streams/", may: [...CORE, "lib/kv/", "lib/redis/", "lib/layers/"] },
  { files: "lib/consumers/", may: [...CORE, "lib/layers/", "lib/streams/"] },
  { files: "lib/presence/", may: [...CORE, "lib/layers/", "lib/cluster/"] },
  { files: "lib/server/node/", may: [...CORE, "lib/server/", "npm:ws"] },
  { files: "lib/server/", may: CORE },
  { files: "lib/testing/", may: ["!lib/mod.ts", "node:*", "lib/"] },
  { files: "lib/", may: ["node:*", "lib/"] },

  // Browser code may import types of server code.
  {
    files: "islands/",
    may: [
      "toolkit:client",
      "toolkit:client/preact",
      "toolkit:protocol",
      ...SERVER.map((entry) => `!${entry}`),
      "*",
    ],
    mayType: ["!lib/", ...SERVER],
  },

  // The stand-in for Fresh does not depend on the code that uses it.
  { files: "compat/", may: ["node:*", "npm:*"] },
  // Tools and benchmarks do not depend on tests; benchmarks use what the tests use.
  { files: "tests/support/", may: ["!tests/", "*"] },
  { files: "tests/", may: ["*"] },
  { files: "tools/", may: ["!tests/", "*"] },
  { files: "bench/", may: ["tests/support/", "!tests/", "*"] },

  // main.ts and realtime.ts compose the app from what is in app/.
  { files: "app/", may: ["!lib/", "!main.ts", "!realtime.ts", "!routes/", "*"] },

  // The app and its extensions import the toolkit by its public name, as external code would.
  { files: "", may: ["!lib/", "*"] },
];

/**
 * Files that may use the global of a runtime: adapters, by folder or name, and all files outside
 * `lib/`.
 */
export const ADAPTERS: Readonly<Record<string, RegExp>> = {
  Deno: /^(?!lib\/)|\/deno\//,
  process: /^(?!lib\/)|\/(?:node|bun)\//,
  Bun: /^(?!lib\/)|\/bun\//,
};
