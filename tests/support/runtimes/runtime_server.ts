import { findRuntime, type RuntimeName } from "../../../tools/provide/runtimes.ts";
import { eventually } from "../eventually.ts";
import { WsClient } from "../app/ws_client.ts";

/** How long a program may take to listen or to end, in milliseconds. */
const LIMIT_MS = 30_000;

/** A signed-in browser or program. */
export interface Visitor {
  readonly cookie: string;
  readonly sessionId: string;
}

/** The test application in a process of one runtime. */
export class RuntimeServer implements AsyncDisposable {
  readonly name: RuntimeName;
  readonly origin: string;
  readonly #child: Deno.ChildProcess;
  readonly #output: () => string;

  private constructor(
    name: RuntimeName,
    origin: string,
    child: Deno.ChildProcess,
    output: () => string,
  ) {
    this.name = name;
    this.origin = origin;
    this.#child = child;
    this.#output = output;
  }

  /** Starts `program` (or the one of the runtime) in a folder that finds the package. */
  static async start(
    name: RuntimeName,
    folder: string,
    program = `${name.replace(/\d+/, "")}.js`,
    env: Readonly<Record<string, string>> = {},
  ): Promise<RuntimeServer> {
    const child = new Deno.Command(findRuntime(name)!, {
      args: name === "deno" ? ["run", "-A", "--quiet", "--no-lock", program] : [program],
      cwd: folder,
      env: { PORT: "0", NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let text = "";
    const read = async (stream: ReadableStream<Uint8Array>) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
    };
    for (const stream of [child.stdout, child.stderr]) void read(stream).catch(() => {});
    let hasEnded = false;
    void child.status.then(() => hasEnded = true).catch(() => {});
    const origin = await eventually(() => {
      const [, found] = /listening on (http:\S+)/.exec(text) ?? [];
      if (found === undefined && !hasEnded) throw new Error(`${name} does not listen: ${text}`);
      return found;
    }, LIMIT_MS);
    if (origin === undefined) throw new Error(`${name} ended: ${text}`);
    return new RuntimeServer(name, origin, child, () => text);
  }

  /** What the program has printed. */
  get output(): string {
    return this.#output();
  }

  get wsOrigin(): string {
    return this.origin.replace("http", "ws");
  }

  async signIn(name: string): Promise<Visitor> {
    const response = await fetch(`${this.origin}/signin?as=${name}`, { method: "POST" });
    const cookie = response.headers.getSetCookie()[0]!.split(";")[0]!;
    return { cookie, sessionId: (await response.json()).id };
  }

  async signOut({ sessionId }: Visitor): Promise<void> {
    await (await fetch(`${this.origin}/signout?id=${sessionId}`, { method: "POST" })).body
      ?.cancel();
  }

  /** Opens a socket with a visitor's cookie, from a page of this origin. */
  open(path: string, visitor?: Visitor, headers: Record<string, string> = {}): Promise<WsClient> {
    return WsClient.connect(this.wsOrigin + path, {
      protocols: ["sluice.v1"],
      headers: { origin: this.origin, ...(visitor && { cookie: visitor.cookie }), ...headers },
    });
  }

  async stats(): Promise<Record<string, number> & { readonly endCodes: readonly number[] }> {
    return await (await fetch(`${this.origin}/stats`)).json();
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits until the process has ended and returns its exit status. */
  async ended(): Promise<number> {
    const { code } = await this.#child.status;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
  }
}
