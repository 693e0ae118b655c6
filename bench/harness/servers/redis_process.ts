import { provideRedis } from "../../../tools/provide/redis.ts";
import { pinned } from "./cores.ts";
import { Unavailable } from "../unavailable.ts";

const WAIT_MS = 50;
const TRIES = 100;

/** A Redis for the bench, on a free port, without persistence. */
export class RedisProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly url: string;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.url = `redis://127.0.0.1:${port}`;
  }

  static async start(program: string): Promise<RedisProcess> {
    const port = freePort();
    const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    const [first, ...args] = pinned("other", [program, "--port", String(port), ...settings]);
    const child = new Deno.Command(first!, { args, stdin: "null", stdout: "null" }).spawn();
    for (let tries = 0; tries < TRIES; tries++) {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      socket?.close();
      if (socket) return new RedisProcess(child, port);
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
    child.kill("SIGKILL");
    throw new Error("Redis does not listen");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/**
 * Returns the path of `redis-server`. Installs it if needed.
 *
 * @throws {Unavailable} It cannot be installed.
 */
export async function findRedisProgram(note: (text: string) => void): Promise<string> {
  try {
    return await provideRedis(note);
  } catch (error) {
    throw new Unavailable(error instanceof Error ? error.message : String(error));
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
