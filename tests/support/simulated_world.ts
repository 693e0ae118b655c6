import type { ClientEnvironment } from "../../lib/client/environment.ts";

type Socket = InstanceType<ClientEnvironment["WebSocket"]>;
type Listener = Parameters<Socket["addEventListener"]>[1];

/** A server of a {@linkcode SimulatedWorld}. */
export interface SimulatedServer {
  /** Decides about an upgrade: undefined accepts, a response refuses, and an error is a lost network. */
  upgrade(client: number): undefined | Response | Error;
}

/** A socket between a client and the simulated server. */
export class SimulatedSocket {
  readyState = 0;
  readonly #listeners = new Map<string, Listener>();

  constructor(readonly world: SimulatedWorld, readonly client: number) {}

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }

  /** Answers every frame with an id at once, as a server answers pings. */
  send(data: string): void {
    const { id } = JSON.parse(data);
    const reply = JSON.stringify({ type: "reply", id, ok: true, data: { user: "ada" } });
    this.world.after(1, () => this.emit("message", { data: reply }));
  }

  close(): void {
    this.readyState = 3;
  }

  emit(type: string, event: { data?: unknown; code?: number; reason?: string }): void {
    if (this.readyState === 3) return;
    if (type === "open") this.readyState = 1;
    if (type === "close") this.readyState = 3;
    this.#listeners.get(type)?.({ type, ...event });
  }
}

/** Many clients and one server under one clock. The same seed gives the same run. */
export class SimulatedWorld {
  /** The accepted upgrades, in milliseconds since the start. */
  readonly accepted: number[] = [];
  /** The attempts of each client. */
  readonly attempts: number[] = [];
  /** The open socket of each client. */
  readonly sockets: SimulatedSocket[] = [];
  readonly #server: SimulatedServer;
  readonly #timers: { at: number; callback: (() => void) | undefined }[] = [];
  #now = 0;
  #seed: number;

  constructor(server: SimulatedServer, seed: number) {
    this.#server = server;
    this.#seed = seed;
  }

  get now(): number {
    return this.#now;
  }

  /** A random number in [0, 1): mulberry32. */
  readonly random = (): number => {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };

  readonly after = (ms: number, callback: () => void): () => void => {
    const timer: { at: number; callback: (() => void) | undefined } = {
      at: this.#now + ms,
      callback,
    };
    this.#push(timer);
    return () => timer.callback = undefined;
  };

  /** Returns the environment of one client. */
  environment(client: number): ClientEnvironment {
    // deno-lint-ignore no-this-alias
    const world = this;
    return {
      WebSocket: class extends SimulatedSocket {
        constructor() {
          super(world, client);
          world.#dial(this, client);
        }
      },
      fetch: () => {
        const answer = this.#server.upgrade(client);
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve(answer ?? new Response(null, { status: 426 }));
      },
      baseUrl: "https://app.example/",
      now: () => this.#now,
      after: this.after,
      random: this.random,
      isOnline: () => true,
      isHidden: () => false,
      listen: () => () => {},
      report: (error) => {
        throw error;
      },
    };
  }

  /** Runs everything that is due until `ms`. */
  async run(ms: number): Promise<void> {
    for (let timer = this.#timers[0]; timer && timer.at <= ms; timer = this.#timers[0]) {
      this.#pop();
      this.#now = timer.at;
      if (timer.callback === undefined) continue;
      timer.callback();
      for (let turn = 0; turn < 12; turn++) await Promise.resolve();
    }
    this.#now = ms;
  }

  #dial(socket: SimulatedSocket, client: number): void {
    this.attempts[client] = (this.attempts[client] ?? 0) + 1;
    this.after(2, () => {
      if (this.#server.upgrade(client) !== undefined) return socket.emit("close", { code: 1006 });
      this.accepted.push(this.#now);
      this.sockets[client] = socket;
      socket.emit("open", {});
    });
  }

  #push(timer: { at: number; callback: (() => void) | undefined }): void {
    const heap = this.#timers;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.at <= heap[index]!.at) break;
      [heap[parent], heap[index]] = [heap[index]!, heap[parent]!];
      index = parent;
    }
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let index = 0;;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < heap.length && heap[child]!.at < heap[least]!.at) least = child;
      }
      if (least === index) return;
      [heap[index], heap[least]] = [heap[least]!, heap[index]!];
      index = least;
    }
  }
}
