import { mkdtemp, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { RedisReply } from "../../../lib/redis/redis_connection.ts";
import { freePort } from "../free_port.ts";
import { findRedis } from "../../../tools/provide/redis.ts";
import { suspend } from "./suspend.ts";

/** Returns why the tests with Redis are skipped; `undefined` if Redis is available. */
export function whyNoRedis(): string | undefined {
  return findRedis() === undefined ? "there is no redis-server" : undefined;
}

/** A Redis for a test, on a free loopback port, without persistence. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: Deno.ChildProcess;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#args = args;
    this.#process = this.#spawn();
  }

  /** Starts a server, with additional arguments. */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-redis-"));
    const server = new RedisServer(freePort(), folder, args);
    await server.#listening();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Kills the server with SIGKILL. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  /** Restarts the server, empty. */
  async restart(): Promise<void> {
    this.#process = this.#spawn();
    await this.#listening();
  }

  /** Suspends the server: its connections stay, but it does not reply. */
  pause(): void {
    suspend(this.#process.pid);
  }

  resume(): void {
    this.#process.kill("SIGCONT");
  }

  /** Sends a command and returns the whole reply. @throws {Error} An error reply. */
  async ask(...args: [string, ...string[]]): Promise<RedisReply> {
    const redis = new Redis(this.port, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on("error", () => {});
    try {
      return await redis.call(...args) as RedisReply;
    } finally {
      redis.disconnect();
    }
  }

  /** Sends an inline command and returns the first line of the reply. */
  async command(line: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = createConnection(this.port, "127.0.0.1", () => socket.write(`${line}\r\n`));
    socket.once("data", (data) => resolve(String(data).split("\r\n")[0]!));
    socket.once("error", reject);
    try {
      return await promise;
    } finally {
      socket.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Also kills a suspended server.
    try {
      await this.kill();
    } catch {
      // It has ended already.
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(): Deno.ChildProcess {
    const args = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--save", "", "--dir"];
    return new Deno.Command(findRedis()!, {
      args: [...args, this.#folder, "--appendonly", "no", ...this.#args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async #listening(): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      if (await this.command("PING").catch(() => "") === "+PONG") return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("Redis did not start");
  }
}
