import { HttpBrowser } from "./http_browser.ts";
import type { Environment } from "../../../app/settings/settings.ts";
import { assertNoSecrets } from "../../../tools/test/secrets.ts";
import { WsClient } from "./ws_client.ts";

const ROOT = new URL("../../../", import.meta.url);

/** How long to wait for a process's metrics at the end, in milliseconds: it may be suspended. */
const METRICS_MS = 2_000;

/** How long a test waits for output of a process, in milliseconds. */
const PRINTS_MS = 30_000;

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The app in its own process, as `deno task start` or `serve` runs it. At the end, its output (at
 * `debug`) and its metrics are searched for secrets.
 */
export class AppProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #listening = Promise.withResolvers<string>();
  readonly #output: Promise<unknown>;
  #printed = Promise.withResolvers<void>();
  #hasEnded = false;
  stdout = "";
  stderr = "";
  origin = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#output = Promise.all([this.#read("stdout"), this.#read("stderr")]);
    void this.#failUnlessListening();
  }

  /** Starts the app on a free port and waits until it listens. */
  static async start(
    env: Environment,
    command = "serve",
    args: readonly string[] = [],
    root?: string,
  ): Promise<AppProcess> {
    const process = AppProcess.spawn({ PORT: "0", ...env }, command, args, root);
    process.origin = await process.#listening.promise;
    return process;
  }

  /** Starts the app without waiting, from this tree or from a copy at `root`. */
  static spawn(
    env: Environment,
    command = "serve",
    args: readonly string[] = [],
    root: string | URL = ROOT,
  ): AppProcess {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "dev.ts", command, ...args],
      cwd: root,
      clearEnv: true,
      env: { ...baseEnvironment(), LOG_LEVEL: "debug", ...env } as Record<string, string>,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new AppProcess(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits until the given number of processes listen. */
  async listening(count: number): Promise<void> {
    await this.prints(() => this.stdout.split("listens on").length > count, `${count} to listen`);
  }

  /** Waits until the output contains a text or satisfies a condition. */
  async prints(wanted: string | (() => boolean), what: string = String(wanted)): Promise<void> {
    const isThere = typeof wanted === "string" ? () => this.stderr.includes(wanted) : wanted;
    const late = new Error(`No output within ${PRINTS_MS} ms: ${what}`);
    const timer = setTimeout(() => this.#printed.reject(late), PRINTS_MS);
    try {
      while (!isThere()) {
        if (this.#hasEnded) throw new Error(`The process ended without printing: ${what}`);
        await this.#printed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns the ids of the child processes. Linux only. */
  children(): number[] {
    const stats = [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name))
      .map(({ name }) => readStat(Number(name)));
    return stats.filter(({ parent, isOver }) => parent === this.pid && !isOver)
      .map(({ pid }) => pid);
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits until the process ends. */
  async ended(): Promise<Ended> {
    const [{ code }] = await Promise.all([this.#child.status, this.#output]);
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** Returns a browser that is signed in as the given user. */
  async signIn(login: string): Promise<HttpBrowser> {
    const browser = this.browser();
    await browser.signIn(login);
    return browser;
  }

  browser(): HttpBrowser {
    return new HttpBrowser((request) => fetch(request), this.origin);
  }

  /** Opens a socket with a browser's cookies. */
  open(path: string, browser: HttpBrowser): Promise<WsClient> {
    return WsClient.connect(this.origin.replace("http", "ws") + path, {
      protocols: ["sluice.v1"],
      headers: { origin: this.origin, cookie: browser.cookieHeader },
    });
  }

  /** Kills the process if it runs. @throws {Error} Its output contains a secret. */
  async [Symbol.asyncDispose](): Promise<void> {
    const metrics = await this.#metrics();
    try {
      this.signal("SIGKILL");
    } catch { /* it has ended */ }
    const { stdout, stderr } = await this.ended();
    assertNoSecrets(
      [stdout, stderr, metrics].join("\n"),
      "The output or metrics of a process",
    );
  }

  /** Returns its metrics, or an empty string if it no longer answers. */
  async #metrics(): Promise<string> {
    if (this.origin === "" || this.#hasEnded) return "";
    const signal = AbortSignal.timeout(METRICS_MS);
    const read = fetch(`${this.origin}/metrics`, { signal }).then((response) => response.text());
    return await read.catch(() => "");
  }

  async #read(name: "stdout" | "stderr"): Promise<void> {
    for await (const text of this.#child[name].pipeThrough(new TextDecoderStream())) {
      this[name] += text;
      // In the text log and in the JSON log.
      const [, origin] = /listens on ([^\s"]+)[^]*layer.*\n/.exec(this.stdout) ?? [];
      if (origin !== undefined) this.#listening.resolve(origin);
      this.#hasChanged();
    }
  }

  #hasChanged(): void {
    this.#printed.resolve();
    this.#printed = Promise.withResolvers();
    this.#printed.promise.catch(() => {}); // Perhaps no test waits for it.
  }

  async #failUnlessListening(): Promise<void> {
    this.#listening.promise.catch(() => {});
    const { code } = await this.#child.status;
    await this.#output;
    this.#hasEnded = true;
    this.#hasChanged();
    this.#listening.reject(new Error(`It ended with ${code} before it listened:\n${this.stderr}`));
  }
}

/** Builds the app for `serve`. */
export async function buildApp(): Promise<void> {
  const { code, stderr } = await AppProcess.spawn({}, "build").ended();
  if (code !== 0) throw new Error(`The build ended with ${code}:\n${stderr}`);
}

/** Returns the parent of a process (the fourth field of its stat on Linux). */
function readStat(pid: number): { pid: number; parent: number; isOver: boolean } {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, parent: Number(parent), isOver: state === "Z" };
  } catch {
    return { pid, parent: 0, isOver: true };
  }
}

/** Environment variables that a process needs, without settings of the app. */
function baseEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "NPM_CONFIG_REGISTRY", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
