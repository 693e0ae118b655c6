import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { AppProcess } from "./app_process.ts";
import type { RawTab } from "./raw_tabs.ts";
import { type SeededUser, seedUsers } from "./seeded_users.ts";
import { WsClient } from "./ws_client.ts";

/** The effect of killing a process. */
export interface Crash {
  readonly sockets: number;
  /** Users that remain, computed from the tabs. */
  readonly expected: readonly string[];
  /** Users with tabs only on the killed process. */
  readonly gone: readonly string[];
  /** By surviving process. */
  readonly survivors: readonly Survivor[];
}

/** The view of one surviving process. */
export interface Survivor {
  /** Its list 10 s after the crash. */
  readonly people: readonly string[];
  /** Users that joined and left, as seen by a user who stayed. */
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** Milliseconds after the crash, or `undefined` if no user left. */
  readonly lastLeftMs: number | undefined;
}

const ROOM = "/ws/chat/lobby";

/**
 * Starts three processes on one database file, and users with 2 to 5 tabs each in one room, spread over
 * the processes. Then kills the third process.
 */
export async function crashOne(people: number, layer: string): Promise<Crash> {
  const directory = await Deno.makeTempDir();
  const kvPath = join(directory, "kv.sqlite3");
  try {
    const [watcher, ...others] = await seedUsers(kvPath, people + 1);
    const env = { DENO_KV_PATH: kvPath, CHANNEL_LAYER: layer, SOCKETS_PER_ADDRESS: "100000" };
    const processes = await Promise.all([1, 2, 3].map(() => AppProcess.start(env)));
    await using stack = new AsyncDisposableStack();
    for (const process of processes) stack.use(process);
    const [victim, staying] = [processes[2]!, processes.slice(0, 2)];
    const watches: Watch[] = [];
    for (const { origin } of staying) watches.push(await Watch.begin(origin, watcher!));
    const homes = spread(others);
    const tabs = [...homes].flatMap(([{ cookie }, at]) =>
      at.map((index) => ({ origin: processes[index]!.origin, path: ROOM, cookie }))
    );
    stack.use(await openTabs(tabs, join(directory, "tabs.json")));
    await until(() => watches.every(({ joined }) => joined.length >= people), 60_000);

    victim.signal("SIGKILL");
    for (const watch of watches) watch.crashed();
    await pause(10_000);
    const [here, gone] = [(at: number[]) => at.some((index) => index !== 2), homes];
    return {
      sockets: tabs.length,
      expected: [watcher!, ...others.filter((user) => here(homes.get(user)!))]
        .map(({ login }) => login).sort(),
      gone: [...gone].filter(([, at]) => !here(at)).map(([{ login }]) => login).sort(),
      survivors: await Promise.all(watches.map((watch) => watch.end())),
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Assigns the 2 to 5 tabs of each user to three processes. */
function spread(people: readonly SeededUser[]): Map<SeededUser, number[]> {
  return new Map(people.map((user, serial) => {
    const tabs = Array.from({ length: 2 + serial % 4 }, (_, tab) => tab);
    return [user, tabs.map((tab) => (serial * 7 + tab * (1 + serial % 3)) % 3)];
  }));
}

/** A user who stays on one process and records the room's messages. */
class Watch {
  readonly joined: string[] = [];
  readonly left: string[] = [];
  readonly #client: WsClient;
  readonly #open: () => Promise<WsClient>;
  #crashedAt = Infinity;
  #lastLeftMs: number | undefined;

  private constructor(client: WsClient, open: () => Promise<WsClient>) {
    this.#client = client;
    this.#open = open;
    client.socket.on("message", (data) => {
      for (const line of String(data).split("\n")) this.#note(JSON.parse(line));
    });
  }

  static async begin(origin: string, { cookie }: SeededUser): Promise<Watch> {
    const open = () =>
      WsClient.connect(origin.replace("http", "ws") + ROOM, {
        protocols: ["sluice.v1"],
        headers: { origin, cookie },
      });
    const watch = new Watch(await open(), open);
    await watch.#client.frame("welcome");
    return watch;
  }

  crashed(): void {
    this.#crashedAt = performance.now();
  }

  /** Joins briefly to read the list. */
  async end(): Promise<Survivor> {
    using client = await this.#open();
    const { people } = (await client.frame("welcome")).data as { people: { login: string }[] };
    this.#client[Symbol.dispose]();
    return {
      people: people.map(({ login }) => login).sort(),
      joined: this.joined.toSorted(),
      left: this.left.toSorted(),
      lastLeftMs: this.#lastLeftMs,
    };
  }

  #note({ type, data }: { type: string; data: { user: { login: string } } }): void {
    // Earlier messages are included in the list.
    if (type === "welcome") this.joined.length = this.left.length = 0;
    if (type === "joined") this.joined.push(data.user.login);
    if (type !== "left") return;
    this.left.push(data.user.login);
    this.#lastLeftMs = performance.now() - this.#crashedAt;
  }
}

/** Opens tabs in a separate process. */
async function openTabs(tabs: readonly RawTab[], file: string): Promise<Disposable> {
  await Deno.writeTextFile(file, JSON.stringify(tabs));
  const script = new URL("raw_tabs.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", script, file];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stdin: "null" }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  if (done) throw new Error("Cannot open the tabs");
  return {
    [Symbol.dispose]() {
      child.kill("SIGKILL");
      void reader.cancel();
    },
  };
}

async function until(isSo: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!isSo() && performance.now() < end) await pause(20);
}
