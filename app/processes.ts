import { ChildProcess } from "./child_process.ts";
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
 * They stop as well when this process is killed. SIGHUP replaces them, one after the other, by new
 * ones, that run what is on the disk by then.
 *
 * @returns The exit status: 0 where all of them stopped as they should, else that of one that did not.
 * @throws {SettingError} The settings are those of one process.
 */
export async function serveProcesses(count: number, settings: Settings): Promise<number> {
  assertShared(settings);
  const processes = new Processes(count);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => processes.stop(signal));
  }
  Deno.addSignalListener("SIGHUP", () => void processes.replace());
  return await processes.keep();
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

/** One of the processes; another one after it was replaced, or ended by itself. */
interface Place {
  current: ChildProcess | undefined;
}

class Processes {
  readonly #places: readonly Place[];
  #isStopping = false;
  #isReplacing = false;

  constructor(count: number) {
    this.#places = Array.from({ length: count }, () => ({ current: undefined }));
  }

  /** Keeps all of them running; returns the highest status that one ended with when it was to end. */
  async keep(): Promise<number> {
    return Math.max(...await Promise.all(this.#places.map((place) => this.#keepOne(place))));
  }

  /** Stops all; at once, the second time. */
  stop(signal: Deno.Signal): void {
    for (const { current } of this.#places) current?.stop(signal);
    this.#isStopping = true;
  }

  /** Replaces each by a new one, one after the other; all stay as they are where the first fails. */
  async replace(): Promise<void> {
    if (this.#isReplacing || this.#isStopping) return;
    this.#isReplacing = true;
    for (const place of this.#places) {
      const [before, next] = [place.current, new ChildProcess()];
      if (!await next.listens) {
        console.error("A new process did not start; those that run are kept.");
        break;
      }
      if (this.#isStopping) return next.stop("SIGTERM");
      place.current = next;
      before?.signal("SIGTERM");
      await before?.ended;
    }
    this.#isReplacing = false;
  }

  async #keepOne(place: Place): Promise<number> {
    let failures = 0;
    while (true) {
      const startedAt = performance.now();
      const child = place.current ??= new ChildProcess();
      const code = await child.ended;
      if (place.current !== child) continue;
      place.current = undefined;
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
