import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { RedisServer, whyNoRedis } from "../../support/redis/redis_server.ts";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import type { WsClient } from "../../support/app/ws_client.ts";

/** How long Redis is suspended, in milliseconds. For longer, set `SLUICE_PAUSE_MS=10000`. */
const PAUSE_MS = Number(process.env.SLUICE_PAUSE_MS ?? 3_000);
/** How soon messages must be delivered again, in milliseconds. */
const BACK_MS = 5_000;

before(buildApp);

/** A user who constantly sends and receives messages in a room. */
class Talker {
  readonly name: string;
  /** Numbers whose messages were acknowledged. */
  readonly sent: number[] = [];
  readonly refusals: string[] = [];
  /** Received numbers, by sender. */
  readonly heard: Record<string, number[]> = {};
  readonly #socket: WsClient;
  readonly #asked = new Set<number>();
  #offset = 0;
  #isAsking = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #number = 0;
  #changed = Promise.withResolvers<void>();

  constructor(name: string, socket: WsClient) {
    this.name = name;
    this.#socket = socket;
    void this.#listen();
  }

  static async enter(name: string, app: AppProcess): Promise<Talker> {
    const socket = await app.open("/ws/chat/lobby", await app.signIn(name));
    await socket.frame("welcome");
    return new Talker(name, socket);
  }

  talk(): void {
    this.#timer = setInterval(() => this.#say(), 5);
  }

  /** Waits until a condition holds, which is checked after each message. Fails after `ms`. */
  async until(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`${this.name}: no ${what} in ${ms} ms`)), ms);
    try {
      while (!condition()) await Promise.race([this.#changed.promise, promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for `count` further messages of another talker. */
  async hears(other: Talker, count: number, ms?: number): Promise<void> {
    const { length } = this.heard[other.name] ??= [];
    const isHeard = () => this.heard[other.name]!.length >= length + count;
    await this.until(isHeard, `message of ${other.name}`, ms);
  }

  /** Stops sending, and waits for all replies. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.until(() => this.#asked.size === 0, "answer");
  }

  leave(): void {
    this.#socket.socket.terminate();
  }

  #say(): void {
    const number = this.#number++;
    this.#asked.add(number);
    const data = { text: `${this.name} ${number}` };
    this.#socket.sendJson({ type: "say", data, id: `${number}` });
  }

  async #listen(): Promise<void> {
    try {
      while (true) {
        for (const line of (await this.#socket.next()).text.split("\n")) this.#take(line);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      }
    } catch {
      // The socket closed: pending waits fail.
    }
  }

  #take(line: string): void {
    const { type, id, ok, error, data, offset } = JSON.parse(line);
    if (type === "said") this.#hear({ data, offset });
    else if (type === "stream") this.#hear({ offset: data.offset + 1 });
    else if (id === "missed") this.#hearMissed(data);
    else if (type === "reply") {
      this.#asked.delete(Number(id));
      if (ok) this.sent.push(Number(id));
      else this.refusals.push(error.code);
    }
  }

  #hearMissed({ messages, offset }: { messages: readonly Heard[]; offset: number }): void {
    this.#isAsking = false;
    for (const message of messages) this.#hear(message);
    this.#hear({ offset: offset + 1 });
  }

  /** Takes the next message, and asks for missing ones. */
  #hear({ data, offset }: Heard): void {
    if (offset > this.#offset + 1) {
      if (this.#isAsking) return;
      this.#isAsking = true;
      const missed = { stream: "room", after: this.#offset, limit: 500 };
      this.#socket.sendJson({ type: "history", data: missed, id: "missed" });
    } else if (data !== undefined && offset === this.#offset + 1) {
      this.#offset = offset;
      const [name, number] = data.text.split(" ") as [string, string];
      (this.heard[name] ??= []).push(Number(number));
    }
  }
}

/** A message, or only the offset that follows the newest one. */
interface Heard {
  readonly data?: { readonly text: string };
  readonly offset: number;
}

test(
  "while Redis is suspended, each message is kept, and heard by all afterwards",
  { skip: whyNoRedis() ?? false, timeout: 60_000 + PAUSE_MS },
  async () => {
    const directory = await Deno.makeTempDir();
    await using redis = await RedisServer.start();
    const env = {
      DENO_KV_PATH: join(directory, "kv.sqlite3"),
      CHANNEL_LAYER: redis.url,
      MESSAGES_PER_SECOND: "1000",
      MESSAGE_BURST: "1000",
      HISTORY_MESSAGES: "100000",
    };
    await using here = await AppProcess.start(env);
    await using there = await AppProcess.start(env);
    const [ada, grace] = [await Talker.enter("ada", here), await Talker.enter("grace", there)];
    for (const talker of [ada, grace]) talker.talk();
    await Promise.all([ada.hears(grace, 50), grace.hears(ada, 50)]);

    redis.pause();
    const stillAt = Date.now();
    await new Promise((resolve) => setTimeout(resolve, stillAt + PAUSE_MS - Date.now()));
    redis.resume();
    await Promise.all([ada.hears(grace, 1, BACK_MS), grace.hears(ada, 1, BACK_MS)]);
    await Promise.all([ada.hears(grace, 50), grace.hears(ada, 50)]);
    await Promise.all([ada.stop(), grace.stop()]);

    for (const talker of [ada, grace]) {
      assert.deepEqual(talker.refusals, []);
      for (const sender of [ada, grace]) {
        // The last messages may still be in transit.
        const last = sender.sent.at(-1)!;
        await talker.until(() => (talker.heard[sender.name]!.at(-1) ?? -1) >= last, "last message");
        assert.deepEqual(talker.heard[sender.name], sender.sent);
      }
      talker.leave();
    }
    if (process.env.SLUICE_PAUSE_MS !== undefined) {
      for (const { name, sent } of [ada, grace]) console.log({ name, sent: sent.length });
    }
    await Deno.remove(directory, { recursive: true });
  },
);
