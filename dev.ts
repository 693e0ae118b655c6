/**
 * The way in: `start` builds and serves, `dev` serves with live reload, `build` builds, and `serve`
 * serves what was built, with `--processes N` by several processes on one port.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { Builder } from "fresh/dev";
import { onToldToStop } from "./app/child_process.ts";
import { processesOf, serveProcesses } from "./app/processes.ts";
import { announce, type Fetch, serveApp } from "./app/serve.ts";
import { services } from "./app/services.ts";
import { SettingError } from "./app/settings.ts";

const COMMANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  start: async () => {
    services();
    await build();
    await serveBuilt();
  },
  dev: async () => {
    const { host: hostname, port } = services().settings;
    await new Builder().listen(() => import("./main.ts"), {
      hostname,
      port: port === 0 ? freePort(hostname) : port,
      onListen: (address: Deno.NetAddr) => announce(address, services()),
    });
  },
  build,
  serve: serveBuilt,
};

function build(): Promise<unknown> {
  return new Builder().build();
}

async function serveBuilt(): Promise<void> {
  const processes = processesOf(Deno.args);
  // The processes that are started read it as well.
  if (processes > 1 && !Deno.env.get("CHANNEL_LAYER")?.trim()) Deno.env.set("CHANNEL_LAYER", "kv:");
  const own = services();
  const built = new URL("_fresh/server.js", import.meta.url);
  if (!existsSync(built)) {
    console.error("There is nothing to serve: `deno task build` comes first.");
    Deno.exit(1);
  }
  if (processes > 1) Deno.exit(await serveProcesses(processes, own.settings));
  const { default: server } = await import(built.href) as { default: { fetch: Fetch } };
  const reusePort = Deno.args.includes("--reuse-port");
  const told = new AbortController();
  await serveApp(server.fetch, own, { reusePort, signal: told.signal });
  if (reusePort) void onToldToStop((signal) => told.abort(signal));
}

/** For a builder that does not know port 0. */
function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

async function run(name: string): Promise<void> {
  const command = COMMANDS[name];
  if (command === undefined) {
    console.error(`"${name}" is none of ${Object.keys(COMMANDS).join(", ")}.`);
    Deno.exit(1);
  }
  try {
    await command();
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

await run(Deno.args[0] ?? "dev");
