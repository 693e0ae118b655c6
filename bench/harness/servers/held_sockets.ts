import { pinned } from "./cores.ts";
import { loadCommand, type LoadOptions } from "./generator.ts";

/** Idle open sockets, held by the load generator until they are disposed. */
export class HeldSockets implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  /**
   * Opens all sockets, and resolves when they are open.
   *
   * @throws {Error} The server refused one.
   */
  static async open(generator: string, options: LoadOptions): Promise<HeldSockets> {
    const [program, ...args] = pinned("load", loadCommand(generator, "idle", options));
    const child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const { value } = await child.stdout.getReader().read();
    if (value === undefined) throw new Error("The idle sockets could not be opened");
    return new HeldSockets(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
  }
}
