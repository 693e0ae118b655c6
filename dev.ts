/**
 * The entry point: `start` builds and serves, `dev` serves with live reload, `build` builds, and
 * `serve` serves the build; `serve --processes N` uses several processes on one port. `check`
 * checks the settings, the database and the port without starting.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { Builder } from "fresh/dev";
import { type ParentProcess, parentProcess } from "./app/process/child_process.ts";
import { serveProcesses } from "./app/process/processes.ts";
import { announce, checkStart, type Fetch, serveApp } from "./app/process/serve.ts";
import { type Services, services } from "./app/services.ts";
import type { Site } from "./app/site.ts";
import { readArguments, type StartArguments } from "./app/process/start_arguments.ts";
import { failAtWrongSetting, failStart } from "./app/process/start_failure.ts";

const COMMANDS: Readonly<Record<string, (args: StartArguments) => Promise<unknown>>> = {
  start: async (args) => {
    await buildLogged(services());
    await serveBuilt(args);
  },
  check: async () => {
    await checkStart(await composed());
    await services().close();
  },
  dev: async () => {
    await checkStart(await composed());
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

/** Builds. The builder's output goes to the log if the log is JSON. */
async function buildLogged({ settings, log }: Services): Promise<void> {
  const print = console.log;
  if (settings.logFormat === "json") console.log = (...words) => log.info(words.join(" "));
  try {
    await build();
  } finally {
    console.log = print;
  }
}

async function serveBuilt({ processes }: StartArguments): Promise<void> {
  // The child processes read it as well.
  if (processes > 1 && !Deno.env.get("CHANNEL_LAYER")?.trim()) Deno.env.set("CHANNEL_LAYER", "kv:");
  const own = services();
  const built = new URL("_fresh/server.js", import.meta.url);
  if (!existsSync(built)) failStart("There is nothing to serve: run `deno task build` first.");
  if (processes > 1) Deno.exit(await serveProcesses(processes, own));
  const { default: server } = await import(built.href) as { default: { fetch: Fetch } };
  const parent = parentProcess();
  const stopping = new AbortController();
  const site = await composed();
  await serveApp(server.fetch, site, { reusePort: parent !== undefined, signal: stopping.signal });
  if (parent !== undefined) join(parent, site, stopping);
}

/** Returns the site. Starts that only manage other processes do without it. */
async function composed(): Promise<Site> {
  const { site } = await import("./main.ts");
  return site();
}

/** Serves as one of several processes. */
function join(parent: ParentProcess, { metrics }: Site, stopping: AbortController): void {
  metrics.connect(parent);
  parent.listen((message) => {
    if (message.type === "stop") stopping.abort(message.signal);
    else metrics.hear(message);
  });
  parent.send({ type: "listens" });
}

/** Returns a free port, because the builder does not accept port 0. */
function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

async function run(): Promise<void> {
  const args = readArguments(Deno.args);
  const command = COMMANDS[args.command];
  if (command === undefined) {
    const names = Object.keys(COMMANDS).join(", ");
    failStart(`"${args.command}" is not a command: use one of ${names}.`);
  }
  await command(args);
}

await run().catch(failAtWrongSetting);
