import { stdout } from "node:process";
import { V8_FLAGS } from "./v8_flags.ts";

/** It says so early, where it listens, in characters. */
const MAX_BEGINNING = 10_000;

const encoder = new TextEncoder();

/** One of several processes that serve on one port: this program again, told to share it. */
export class ChildProcess {
  /** Its exit status. */
  readonly ended: Promise<number>;
  /** Resolves to true when it listens, to false when it ended before. */
  readonly listens: Promise<boolean>;
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array>;

  constructor() {
    const main = new URL("../dev.ts", import.meta.url).pathname;
    const args = ["run", "-A", V8_FLAGS, main, "serve", "--reuse-port"];
    const options = { args, stdin: "piped", stdout: "piped" } as const;
    this.#child = new Deno.Command(Deno.execPath(), options).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.ended = this.#child.status.then(({ code }) => code);
    this.listens = new Promise((resolve) => void this.#passOutputOn(resolve));
  }

  /** Tells it that all of them stop; it goes on answering while it drains. At once, the second time. */
  stop(signal: Deno.Signal): void {
    // Not by a signal: who stops a group of processes (a terminal, systemd) sends them one as well, and
    // it would be their second.
    this.#orders.write(encoder.encode(`${signal}\n`)).catch(() => {}); // It has ended.
  }

  /** Sends it a signal of its own: the first makes it leave the port to the others, and drain. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch { /* it has ended */ }
  }

  async #passOutputOn(heard: (listens: boolean) => void): Promise<void> {
    let text = "";
    for await (const chunk of this.#child.stdout) {
      stdout.write(chunk);
      if (text.length > MAX_BEGINNING) continue;
      text += new TextDecoder().decode(chunk);
      if (text.includes("listens on")) heard(true);
    }
    heard(false);
  }
}

/**
 * Calls back when the process that started this one says to stop, or is gone; why, as a signal. Ends this
 * process at once where it says so again.
 */
export async function onToldToStop(stop: (signal: string) => void): Promise<void> {
  let orders = 0;
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    for (const signal of text.trim().split("\n")) {
      if (++orders > 1) Deno.exit(130);
      stop(signal);
    }
  }
  stop("SIGTERM");
}
