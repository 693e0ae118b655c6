import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type ClientEnvironment, connect, type RealtimeSocket } from "@sluice/sluice/client";
import type { ChatMessages } from "../../consumers/chat_messages.ts";
import { AppProcess } from "./app_process.ts";
import { type SeededPerson, seedPeople } from "./seeded_people.ts";
import { SilentPeer } from "./silent_peer.ts";

/** What is restarted, and under what load. */
export interface RollingRestart {
  /** Sockets of the real client. */
  readonly sockets: number;
  /** Peers that answer no close frame; every other one of them reads nothing either. */
  readonly silent: number;
  readonly drainSeconds: number;
  /** @default {"kv:"} */
  readonly layer?: string;
}

/** How one process went, and those that it had came back. */
export interface Drained {
  readonly cameBack: number;
  /** Attempts in the fullest 100 ms, relative to an even spread over the window. */
  readonly attemptPeak: number;
  /** The same for those that were let in: what the machine does beside it is in this one too. */
  readonly livePeak: number;
  /** From the signal to the end of the process, in milliseconds. */
  readonly tookMs: number;
  /** The longest time for which this process stood still: what came meanwhile came together. */
  readonly loadPauseMs: number;
}

/** What became of it. */
export interface Restarted {
  readonly drained: readonly Drained[];
  /** Over all processes that there were. */
  readonly connected: number;
  readonly disconnected: number;
  /** The exit status of the whole. */
  readonly code: number;
  /** How often somebody was let in, as the peers saw it. */
  readonly entered: number;
  /** Clients that were live when all processes had been restarted. */
  readonly live: number;
  /** Attempts that were refused or failed. */
  readonly failed: number;
}

/** Half of what one may have: those that go are not known to be gone everywhere at once. */
const SOCKETS_PER_PERSON = 10;

/**
 * Restarts two processes on one port, one after the other, by SIGTERM; then ends the rest, and counts
 * consumers that let somebody in against those that were told of the end.
 */
export async function restartInTurn(options: RollingRestart): Promise<Restarted> {
  const { sockets, silent, drainSeconds, layer = "kv:" } = options;
  const directory = await Deno.makeTempDir();
  const kvPath = join(directory, "kv.sqlite3");
  const people = await seedPeople(kvPath, Math.ceil((sockets + silent) / SOCKETS_PER_PERSON));
  try {
    await using app = await AppProcess.start(
      {
        PORT: freePort(),
        DENO_KV_PATH: kvPath,
        CHANNEL_LAYER: layer,
        DEV_SIGN_IN: "off",
        DRAIN_SECONDS: String(drainSeconds),
        SOCKETS_PER_ADDRESS: "100000",
        LOG_FORMAT: "json",
      },
      "serve",
      ["--processes", "2"],
    );
    await app.listening(2);
    using crowd = await Crowd.enter(app.origin, people, { sockets, silent });
    const drained: Drained[] = [];
    for (const [index, pid] of app.children().entries()) {
      drained.push(await drain(pid, crowd, drainSeconds));
      await app.listening(3 + index);
      await ready(app);
    }
    await until(() => crowd.live === sockets);
    const { live, failed, entered } = crowd;
    crowd[Symbol.dispose]();
    app.signal("SIGTERM");
    const { code, stderr } = await app.ended();
    return { drained, code, live, failed, entered, ...countLives(stderr) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function drain(pid: number, crowd: Crowd, drainSeconds: number): Promise<Drained> {
  const beganAt = performance.now();
  crowd.dialledAt.length = crowd.liveAt.length = 0;
  using watch = watchPauses();
  Deno.kill(pid, "SIGTERM");
  await until(() => !isRunning(pid));
  const tookMs = performance.now() - beganAt;
  const peak = (moments: readonly number[]) =>
    fullest(moments, 100) / (moments.length / (drainSeconds * 10));
  const { liveAt, dialledAt } = crowd;
  const [attemptPeak, livePeak] = [peak(dialledAt), peak(liveAt)];
  return { cameBack: liveAt.length, attemptPeak, livePeak, tookMs, loadPauseMs: watch.longestMs };
}

const TICK_MS = 10;

function watchPauses(): { longestMs: number } & Disposable {
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    watch.longestMs = Math.max(watch.longestMs, now - last - TICK_MS);
    last = now;
  }, TICK_MS);
  const watch = { longestMs: 0, [Symbol.dispose]: () => clearInterval(timer) };
  return watch;
}

/** How many moments are in the fullest of the parts of the time. */
function fullest(moments: readonly number[], partMs: number): number {
  const parts = new Map<number, number>();
  for (const moment of moments) {
    const part = Math.floor(moment / partMs);
    parts.set(part, (parts.get(part) ?? 0) + 1);
  }
  return Math.max(0, ...parts.values());
}

/** Everybody who is connected. */
class Crowd implements Disposable {
  readonly dialledAt: number[] = [];
  readonly liveAt: number[] = [];
  failed = 0;
  entered = 0;
  readonly #clients: RealtimeSocket<ChatMessages>[] = [];
  readonly #silent: SilentPeer[] = [];

  static async enter(
    origin: string,
    people: readonly SeededPerson[],
    { sockets, silent }: { sockets: number; silent: number },
  ): Promise<Crowd> {
    const crowd = new Crowd();
    const at = (index: number) => Math.floor(index / SOCKETS_PER_PERSON);
    for (let index = 0; index < sockets; index++) {
      await crowd.#connect(`${origin}/ws/echo`, people[at(index)]!.cookie);
    }
    for (let index = 0; index < silent; index++) {
      const { cookie } = people[at(sockets + index)]!;
      const peer = await SilentPeer.connect(`${origin}/ws/chat/silent`, { cookie, origin });
      if (index % 2 === 0) peer.stall();
      crowd.#silent.push(peer);
      crowd.entered++;
    }
    return crowd;
  }

  get live(): number {
    return this.#clients.filter(({ state }) => state === "live").length;
  }

  async #connect(address: string, cookie: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const headers = { cookie, origin: new URL(address).origin };
    const socket = connect<ChatMessages>(address, { environment: this.#asBrowser(headers) });
    socket.onState((state, { attempt }) => {
      if (state === "live") {
        this.liveAt.push(performance.now());
        this.entered++;
        resolve();
      }
      if (state === "reconnecting" && attempt > 1) this.failed++;
    });
    this.#clients.push(socket);
    await promise;
  }

  /** What a browser sends by itself. */
  #asBrowser(headers: Record<string, string>): Partial<ClientEnvironment> {
    const { dialledAt } = this;
    return {
      WebSocket: class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          dialledAt.push(performance.now());
          // Deno's own takes headers too.
          super(url, { protocols, headers } as unknown as string[]);
        }
      },
      fetch(url, init) {
        const own = Object.fromEntries(new Headers(init.headers));
        return fetch(url, { ...init, headers: { ...own, ...headers } });
      },
    };
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
    for (const peer of this.#silent) peer[Symbol.dispose]();
  }
}

/** Adds up what each process said at its end. */
function countLives(stderr: string): { connected: number; disconnected: number } {
  const lines = stderr.split("\n").filter((line) => line.includes('"Stopped"'));
  const lives = lines.map((line) => JSON.parse(line));
  const sum = (name: string) => lives.reduce((total, life) => total + life[name], 0);
  return { connected: sum("connected"), disconnected: sum("disconnected") };
}

/** Asks until all of them must have said that they are ready. */
async function ready({ origin }: AppProcess): Promise<void> {
  for (let count = 0; count < 20; count++) {
    const response = await fetch(`${origin}/readyz`, { headers: { connection: "close" } });
    await response.body?.cancel();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return String(listener.addr.port);
}
