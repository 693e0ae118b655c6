import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
// @ts-types="@types/pg"
import pg from "pg";
import { findPostgres } from "../../../tools/provide/postgres.ts";
import { freePort } from "../free_port.ts";

/** Returns why the tests with PostgreSQL are skipped; `undefined` if it is available. */
export function whyNoPostgres(): string | undefined {
  return findPostgres() === undefined ? "there is no PostgreSQL" : undefined;
}

/** Settings of all servers: no file is synchronised, because only processes are killed. */
const SETTINGS = [
  "fsync=off",
  "unix_socket_directories=",
  "listen_addresses=127.0.0.1",
  "max_connections=100",
  "hot_standby=on",
];

/** A PostgreSQL for a test, on a free loopback port, as an unprivileged user. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  readonly #user: { readonly uid?: number; readonly gid?: number };
  #process: Deno.ChildProcess | undefined;

  private constructor(
    port: number,
    folder: string,
    settings: readonly string[],
    user: { readonly uid?: number; readonly gid?: number },
  ) {
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
    this.#user = user;
  }

  /** Starts an empty server, with additional settings. */
  static async start(settings: readonly string[] = [], folder?: string): Promise<PostgresServer> {
    const server = await PostgresServer.#prepare(settings, folder);
    await server.#run("initdb", ["-A", "trust", "-U", "sluice", "-E", "UTF8", "--no-sync"]);
    await server.restart();
    return server;
  }

  /** Starts a standby of a server. Replication is asynchronous unless the server waits for it. */
  static async standbyOf(primary: PostgresServer): Promise<PostgresServer> {
    const server = await PostgresServer.#prepare([]);
    const from = ["-h", "127.0.0.1", "-p", `${primary.port}`, "-U", "sluice"];
    await server.#run("pg_basebackup", [...from, "-R", "-X", "stream", "-c", "fast", "--no-sync"]);
    await server.restart();
    return server;
  }

  static async #prepare(settings: readonly string[], place?: string): Promise<PostgresServer> {
    const user = await unprivileged();
    const folder = await mkdtemp(join(place ?? tmpdir(), "sluice-postgres-"));
    if (user.uid !== undefined) await chown(folder, user.uid, user.gid ?? user.uid);
    return new PostgresServer(freePort(), folder, settings, user);
  }

  /** The address of the database `postgres`, or of a schema in it. */
  url(schema?: string, port: number = this.port): string {
    const base = `postgres://sluice@127.0.0.1:${port}/postgres`;
    return schema === undefined
      ? base
      : `${base}?options=${encodeURIComponent(`-c search_path=${schema}`)}`;
  }

  /** Runs SQL on a new connection. */
  async query(sql: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url() });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Opens a connection, which the test ends. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url() });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  /** Creates a schema, and returns an address for it. */
  async createSchema(name: string): Promise<string> {
    await this.query(`CREATE SCHEMA IF NOT EXISTS "${name}"`);
    return this.url(name);
  }

  /** Kills the server and all its processes with SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const backends = await childrenOf(child.pid);
    child.kill("SIGKILL");
    // Without their parent they end by themselves, but may commit before they notice.
    for (const pid of backends) signal(pid, "SIGKILL");
    await child.status;
  }

  /** Starts the server after a kill, if it does not run. It recovers what was committed. */
  async restart(): Promise<void> {
    const settings = [...SETTINGS, `port=${this.port}`, ...this.#settings];
    const args = ["-D", this.#folder, ...settings.flatMap((setting) => ["-c", setting])];
    for (let tries = 0; tries < 600; tries++) {
      this.#process ??= this.#spawn("postgres", args);
      const running = this.#process;
      const isUp = await this.query("SELECT 1").then(() => true, () => false);
      if (isUp) return;
      const pause = new Promise<"waiting">((resolve) => setTimeout(() => resolve("waiting"), 50));
      // Processes of a killed server may still hold its memory: try again.
      if (await Promise.race([running.status, pause]) !== "waiting") this.#process = undefined;
    }
    throw new Error("PostgreSQL did not start");
  }

  /** Makes a standby a primary. */
  async promote(): Promise<void> {
    await this.query("SELECT pg_promote()");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child !== undefined) {
      child.kill("SIGQUIT"); // All processes end at once.
      await child.status;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const { success } = await this.#spawn(program, [...args, "-D", this.#folder]).status;
    if (!success) throw new Error(`${program} failed`);
  }

  #spawn(program: string, args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command(join(findPostgres()!, program), {
      args: [...args],
      ...this.#user,
      cwd: this.#folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }
}

/** PostgreSQL refuses to run as root: then another user runs it. */
async function unprivileged(): Promise<{ readonly uid?: number; readonly gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const user = users.find(([name]) => name === "postgres") ??
    users.find(([name]) => name === "nobody");
  if (user === undefined) throw new Error("There is no user who could run PostgreSQL");
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Returns the processes that a process has started; empty if the system does not tell. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter((child) => child !== "").map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
