import type { ClientEnvironment, ClientWebSocket } from "../../../lib/client/environment.ts";

type ClientWebSocketEvent = Parameters<Parameters<ClientWebSocket["addEventListener"]>[1]>[0];

/** A WebSocket whose server is the test. It answers pings by itself unless `answersPings` is false. */
export class FakeSocket implements ClientWebSocket {
  readyState = 0;
  readonly sent: string[] = [];
  /** The pings that were sent; they are not in `sent`. */
  readonly pings: { id: string; data?: { ask?: string } }[] = [];
  answersPings = true;
  /** The user of the connection; `undefined` for a server that does not report it. */
  user: string | null | undefined = "ada";
  closedWith: number | "none" | undefined;
  readonly #listeners = new Map<string, (event: ClientWebSocketEvent) => void>();

  constructor(readonly url: string, readonly protocols: string[]) {}

  addEventListener(type: string, listener: (event: ClientWebSocketEvent) => void): void {
    this.#listeners.set(type, listener);
  }

  send(data: string): void {
    const frame = JSON.parse(data);
    if (frame.type !== "ping") return void this.sent.push(data);
    this.pings.push(frame);
    if (this.answersPings) this.answer(frame);
  }

  /** Answers a ping. */
  answer({ id, data }: FakeSocket["pings"][number]): void {
    const user = data?.ask === "user" ? this.user : undefined;
    this.say({ type: "reply", id, ok: true, data: user === undefined ? undefined : { user } });
  }

  close(code?: number): void {
    this.closedWith ??= code ?? "none";
  }

  /** The sent messages, parsed. */
  get frames(): { type: string; data: unknown; id?: string; key?: string }[] {
    return this.sent.map((text) => JSON.parse(text));
  }

  open(): void {
    this.readyState = 1;
    this.#emit("open", {});
  }

  /** Sends frames to the client as one message, one per line. */
  say(...frames: unknown[]): void {
    this.sayRaw(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  sayRaw(data: unknown): void {
    this.#emit("message", { data });
  }

  /** The socket fails and reports no close, as in Node 22. */
  fail(): void {
    this.#emit("error", {});
  }

  /** The server closes the connection, or refuses to open it. */
  end(code = 1006, reason = ""): void {
    this.readyState = 3;
    this.#emit("error", {});
    this.#emit("close", { code, reason });
  }

  #emit(type: string, event: Omit<ClientWebSocketEvent, "type">): void {
    this.#listeners.get(type)?.({ type, ...event });
  }
}

type Change = "online" | "offline" | "visible";
type Fetched = { url: string; init: RequestInit };

/** A simulated browser: the test controls time and the network. */
export class FakeEnvironment implements ClientEnvironment {
  readonly sockets: FakeSocket[] = [];
  readonly fetched: Fetched[] = [];
  readonly reported: unknown[] = [];
  readonly baseUrl = "https://app.example/rooms/lobby";
  /** The response of `fetch`; without it the network is down. */
  answer: (() => Response) | undefined;
  /** The value of `random`. */
  chance = 0.5;
  online = true;
  hidden = false;
  #now = 1_000_000;
  readonly #timers = new Set<{ at: number; callback: () => void }>();
  readonly #listeners = new Map<Change, Set<() => void>>();

  readonly WebSocket: ClientEnvironment["WebSocket"] = this.#makeSocketClass();
  readonly now = () => this.#now;
  readonly random = () => this.chance;
  readonly isOnline = () => this.online;
  readonly isHidden = () => this.hidden;
  readonly report = (error: unknown) => void this.reported.push(error);

  readonly fetch = (url: string, init: RequestInit): Promise<Response> => {
    if (init.signal?.aborted) return Promise.reject(init.signal.reason);
    this.fetched.push({ url, init });
    return this.answer
      ? Promise.resolve(this.answer())
      : Promise.reject(new TypeError("Failed to fetch"));
  };

  readonly after = (ms: number, callback: () => void): () => void => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  readonly listen = (change: Change, callback: () => void): () => void => {
    const callbacks = this.#listeners.get(change) ?? new Set();
    this.#listeners.set(change, callbacks.add(callback));
    return () => void callbacks.delete(callback);
  };

  /** The latest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("No socket was opened");
    return socket;
  }

  get timers(): number {
    return this.#timers.size;
  }

  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, callbacks) => sum + callbacks.size, 0);
  }

  fire(change: Change): void {
    for (const callback of this.#listeners.get(change) ?? []) callback();
  }

  /** Advances time and runs due timers in order. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
      await settled();
    }
    this.#now = end;
  }

  #makeSocketClass(): ClientEnvironment["WebSocket"] {
    const { sockets } = this;
    return class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    };
  }
}

/** Resolves when all promises that were ready have been handled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** A refusal by the server, in response to a plain `GET`. */
export function problem(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Response {
  const body = JSON.stringify({ code, detail: `It is ${code}` });
  const type = { "content-type": "application/problem+json" };
  return new Response(body, { status, headers: { ...type, ...headers } });
}
