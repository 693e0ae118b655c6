import type {
  ClientEnvironment,
  ClientWebSocket,
  ClientWebSocketEvent,
} from "@sluice/sluice/client";

/** A WebSocket whose server is the test. It answers pings by itself, unless `answersPings` is false. */
export class FakeSocket implements ClientWebSocket {
  readyState = 0;
  readonly sent: string[] = [];
  /** What was sent to keep alive: not in `sent`. */
  readonly pings: { id: string; data?: { ask?: string } }[] = [];
  answersPings = true;
  /** Whose connection it is; `undefined` for a server that does not tell. */
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

  /** What was sent, read. */
  get frames(): { type: string; data: unknown; id?: string }[] {
    return this.sent.map((text) => JSON.parse(text));
  }

  open(): void {
    this.readyState = 1;
    this.#emit("open", {});
  }

  /** Sends frames to the client: one message, one line each. */
  say(...frames: unknown[]): void {
    this.sayRaw(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  sayRaw(data: unknown): void {
    this.#emit("message", { data });
  }

  /** The socket fails and reports no close, as that of Node 22. */
  fail(): void {
    this.#emit("error", {});
  }

  /** The server ends the connection, or does not open it. */
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

/** A browser in a box: time moves, and the network answers, when the test says so. */
export class FakeEnvironment implements ClientEnvironment {
  readonly sockets: FakeSocket[] = [];
  readonly fetched: Fetched[] = [];
  readonly reported: unknown[] = [];
  readonly baseUrl = "https://app.example/rooms/lobby";
  /** What `fetch` answers; without it the network is down. */
  answer: (() => Response) | undefined;
  /** What `random` gives. */
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

  /** Moves time, and runs what is due in its order. */
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

/** Resolves when every promise that was ready has been followed. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

/** A refusal of the gate, as a plain `GET` gets it. */
export function problem(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Response {
  const body = JSON.stringify({ code, detail: `It is ${code}` });
  const type = { "content-type": "application/problem+json" };
  return new Response(body, { status, headers: { ...type, ...headers } });
}
