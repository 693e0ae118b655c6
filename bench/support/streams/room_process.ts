import { fileURLToPath } from "node:url";
import { V8_FLAGS } from "../../../app/process/v8_flags.ts";

const SCRIPT = fileURLToPath(new URL("room_server.ts", import.meta.url));

/** The server of `room_server.ts` in its own process. */
export class RoomProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(child: Deno.ChildProcess, lines: ReadableStreamDefaultReader, url: string) {
    this.#child = child;
    this.#lines = lines;
    this.#input = child.stdin.getWriter();
    this.url = url;
  }

  /** Starts a server on a store and a layer in memory, or on a Redis. */
  static async start(address: string): Promise<RoomProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", V8_FLAGS, SCRIPT, address],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    return new RoomProcess(child, lines, (await lines.read()).value!.trim());
  }

  /** Appends messages to the stream. */
  async fill(count: number): Promise<void> {
    await this.#ask(`fill ${count}`);
  }

  /** Returns the CPU time that the process has used, in milliseconds. */
  async cpuMs(): Promise<number> {
    return Number(await this.#ask("cpu"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#lines.cancel();
  }

  async #ask(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return (await this.#lines.read()).value!;
  }
}
