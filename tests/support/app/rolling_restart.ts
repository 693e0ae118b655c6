import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect, type ConnectOptions, type RealtimeSocket } from "@sluice/sluice/client";
import type { ChatMessages } from "../../../consumers/chat_messages.ts";
import { AppProcess } from "./app_process.ts";
import { freePort } from "../free_port.ts";
import { type SeededUser, seedUsers } from "./seeded_users.ts";
import { SilentPeer } from "./silent_peer.ts";

/** The load during the restarts. */
export interface RollingRestart {
  /** Number of sockets of the real client. */
  readonly sockets: number;
  /** Number of peers that answer no close frame; every second one reads nothing either. */
  readonly silent: number;
  readonly drainSeconds: number;
  /** @default {"kv:"} */
  readonly layer?: string;
}

/** The end of one process, and the reconnection of its clients. */
export interface Drained {
  readonly cameBack: number;
  /** Attempts in the fullest 100 ms, relative to an even spread over the window. */
  readonly attemptPeak: number;
  /** The same for admitted attempts, which includes other work of the machine. */
  readonly livePeak: number;
  /** Time from the signal to the end of the process, in milliseconds. */
  readonly tookMs: number;
  /** The longest pause of this process, after which events arrive together. */
  readonly loadPauseMs: number;
}

/** The result of the restarts. */
export interface Restarted {
  readonly drained: readonly Drained[];
  /** Sums over all processes. */
  readonly connected: number;
  readonly disconnected: number;
  /** The exit status of the first process. */
  readonly code: number;
  /** Number of admitted sockets, as seen by the peers. */
  readonly entered: number;
  /** Number of live clients after all restarts. */
  readonly live: number;
  /** Number of refused or failed attempts. */
  readonly failed: number;
}

/** Half of the limit, because the other processes learn of closed sockets with a delay. */
const SOCKETS_PER_USER = 10;

/**
 * Restarts two processes on one port in turn with SIGTERM, then ends the rest. Compares the numbers of
 * accepted connections and of `disconnect()` calls.
 */
export async function restartInTurn(options: RollingRestart): Promise<Restarted> {
  const { sockets, silent, drainSeconds, layer = "kv:" } = options;
  const directory = await Deno.makeTempDir();
  const kvPath = join(directory, "kv.sqlite3");
  const people = await seedUsers(kvPath, Math.ceil((sockets + silent) / SOCKETS_PER_USER));
  try {
    await using app = await AppProcess.start(
      {
        PORT: String(freePort()),
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

/** Returns the largest number of events in an interval of the given length. */
function fullest(moments: readonly number[], partMs: number): number {
  const parts = new Map<number, number>();
  for (const moment of moments) {
    const part = Math.floor(moment / partMs);
    parts.set(part, (parts.get(part) ?? 0) + 1);
  }
  return Math.max(0, ...parts.values());
}

/** All connected clients. */
class Crowd implements Disposable {
  readonly dialledAt: number[] = [];
  readonly liveAt: number[] = [];
  failed = 0;
  entered = 0;
  readonly #clients: RealtimeSocket<ChatMessages>[] = [];
  readonly #silent: SilentPeer[] = [];

  static async enter(
    origin: string,
    people: readonly SeededUser[],
    { sockets, silent }: { sockets: number; silent: number },
  ): Promise<Crowd> {
    const crowd = new Crowd();
    const at = (index: number) => Math.floor(index / SOCKETS_PER_USER);
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

  /** Headers that a browser sends by itself. */
  #asBrowser(headers: Record<string, string>): NonNullable<ConnectOptions["environment"]> {
    const { dialledAt } = this;
    return {
      WebSocket: class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          dialledAt.push(performance.now());
          // Deno's WebSocket accepts headers too.
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

/** Sums the counts that each process printed at its end. */
function countLives(stderr: string): { connected: number; disconnected: number } {
  const lines = stderr.split("\n").filter((line) => line.includes('"Stopped"'));
  const lives = lines.map((line) => JSON.parse(line));
  const sum = (name: string) => lives.reduce((total, life) => total + life[name], 0);
  return { connected: sum("connected"), disconnected: sum("disconnected") };
}

/** Polls until all processes must have answered that they are ready. */
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
