import { SettingError, type Settings } from "./settings.ts";

/** How long a process that ended is not started again, in milliseconds: doubles each time. */
const RESTART_MS = 200;

/** A process that ran this long has started well, in milliseconds. */
const HEALTHY_MS = 10_000;

/** A process that ends so often without having started well is given up, and all with it. */
const MAX_FAILURES = 6;

/**
 * Serves with several processes on one port, until it is told to stop; starts one that ended again.
 *
 * A signal is passed on to all of them, and each drains by itself; a second one ends them at once.
 * They stop as well when this process is killed.
 *
 * @returns The exit status: 0 where all of them stopped as they should, else that of one that did not.
 * @throws {SettingError} The settings are those of one process.
 */
export async function serveProcesses(count: number, settings: Settings): Promise<number> {
  assertShared(settings);
  const processes = new Processes();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => processes.stop(signal));
  }
  const codes = await Promise.all(Array.from({ length: count }, () => processes.keepOne()));
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

/** Calls back when the process that started this one is gone. */
export async function onOrphaned(callback: () => void): Promise<void> {
  for await (const _chunk of Deno.stdin.readable); // Nothing is written to it: it ends, or waits.
  callback();
}

class Processes {
  readonly #children = new Set<Deno.ChildProcess>();
  #isStopping = false;

  stop(signal: Deno.Signal): void {
    this.#isStopping = true;
    for (const child of this.#children) kill(child, signal);
  }

  /** Keeps one process running; returns the status it ended with when it was to end. */
  async keepOne(): Promise<number> {
    let failures = 0;
    while (true) {
      const startedAt = performance.now();
      const code = await this.#runOne();
      // A setting that is wrong does not get better by being read again.
      if (this.#isStopping || code === 1) return code;
      failures = performance.now() - startedAt > HEALTHY_MS ? 0 : failures + 1;
      if (failures === MAX_FAILURES) {
        this.stop("SIGTERM");
        return code;
      }
      const pauseMs = RESTART_MS * 2 ** failures;
      console.error(`A process ended with status ${code}; it is started again in ${pauseMs} ms.`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (this.#isStopping) return 0;
    }
  }

  async #runOne(): Promise<number> {
    const main = new URL("../dev.ts", import.meta.url).pathname;
    const args = ["run", "-A", main, "serve", "--reuse-port"];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped" }).spawn();
    this.#children.add(child);
    const { code } = await child.status;
    this.#children.delete(child);
    return code;
  }
}

function assertShared({ channelLayer, kvPath, port, devSignIn }: Settings): void {
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
  if (devSignIn) {
    throw new SettingError(
      "DEV_SIGN_IN",
      "is on, which is for one process, but several accept GitHub or an OpenID Connect provider",
    );
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch { /* it has ended */ }
}
