import { SettingError, type Settings } from "./settings.ts";

/** How long a process that ended is not started again, in milliseconds: doubles up to the second. */
const RESTART_MS = { first: 200, most: 10_000 } as const;

/** A process that ran this long has started well, in milliseconds. */
const HEALTHY_MS = 10_000;

/**
 * Serves with several processes on one port, until it is told to stop; starts one that ended again.
 *
 * A signal is passed on to all of them, and each drains by itself; a second one ends them at once.
 *
 * @returns The exit status: 0 where all of them stopped as they should.
 * @throws {SettingError} The settings are those of one process.
 */
export async function serveProcesses(count: number, settings: Settings): Promise<number> {
  assertShared(settings);
  const children = new Set<Deno.ChildProcess>();
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      isStopping = true;
      for (const child of children) kill(child, signal);
    });
  }

  const keepOne = async (): Promise<number> => {
    for (
      let pauseMs: number = RESTART_MS.first;;
      pauseMs = Math.min(pauseMs * 2, RESTART_MS.most)
    ) {
      const startedAt = performance.now();
      const child = spawn();
      children.add(child);
      const { code } = await child.status;
      children.delete(child);
      // A setting that is wrong does not get better by being read again.
      if (isStopping || code === 1) return code;
      if (performance.now() - startedAt > HEALTHY_MS) pauseMs = RESTART_MS.first;
      console.error(`A process ended with status ${code}; it is started again in ${pauseMs} ms.`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (isStopping) return 0;
    }
  };
  const codes = await Promise.all(Array.from({ length: count }, keepOne));
  return Math.max(...codes);
}

/** Reads `--processes N` from a command line: 1 where it is not there. */
export function processesOf(args: readonly string[]): number {
  const index = args.findIndex((arg) => arg === "--processes" || arg.startsWith("--processes="));
  if (index < 0) return 1;
  const value = args[index]!.split("=")[1] ?? args[index + 1] ?? "";
  const count = Number(value);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw new SettingError("--processes", `is ${JSON.stringify(value)}, but accepts 1 to 256`);
}

function assertShared({ channelLayer, kvPath, port }: Settings): void {
  if (channelLayer === "memory:") {
    throw new SettingError(
      "CHANNEL_LAYER",
      'is "memory:", which is for one process, but several accept kv: or redis://…',
    );
  }
  if (kvPath === ":memory:") {
    throw new SettingError("DENO_KV_PATH", 'is ":memory:", but several processes need a file');
  }
  if (port === 0) {
    throw new SettingError("PORT", 'is "0", but several processes need a port to share');
  }
}

function spawn(): Deno.ChildProcess {
  const main = new URL("../dev.ts", import.meta.url).pathname;
  const args = ["run", "-A", main, "serve", "--reuse-port"];
  return new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch { /* it has ended */ }
}
