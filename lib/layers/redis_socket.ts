import { Buffer } from "node:buffer";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RedisAccess, RedisAddress } from "./redis_address.ts";
import { RedisError, RedisReader, type RedisReply } from "./redis_reader.ts";

/** Takes what is published under a name. */
export type RedisListener = (text: string, name: string) => void;

/** How a {@linkcode RedisSocket} is opened. */
export interface RedisSocketOptions {
  readonly address: RedisAddress;
  readonly access: RedisAccess;
  /** The authorities whose certificates are taken, as PEM; else those that the runtime knows. */
  readonly ca: string | undefined;
}

/** What a {@linkcode RedisSocket} reports by itself. */
export interface RedisSocketEvents {
  /** Redis does not listen for `name` any more, which nobody asked for: its slot has moved. */
  moved(name: string): void;
  /** It is over. */
  over(error: Error): void;
}

interface Question {
  /** Set for the end of a subscription: what answers it is a push, as of one that nobody asked for, or an error. */
  readonly unsubscribes?: string;
  resolve(reply: RedisReply): void;
  reject(error: Error): void;
}

/**
 * A pipelined connection to Redis 7 or later (RESP3) that carries commands and sharded subscriptions
 * alike, so that what comes, comes in one order.
 */
export class RedisSocket {
  readonly #socket: Socket;
  readonly #events: RedisSocketEvents;
  readonly #reader = new RedisReader();
  readonly #listeners = new Map<string, RedisListener>();
  /** Names whose end is under way: a push that says so is expected. */
  readonly #leaving = new Map<string, number>();
  #questions: Question[] = [];
  #answered = 0;
  #out: string[] = [];
  #error: Error | undefined;

  private constructor(socket: Socket, events: RedisSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on("data", (piece: Buffer) => this.#take(piece));
    socket.on("error", (error: Error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("The connection was closed")));
  }

  /**
   * Begins to connect. What is asked meanwhile waits; `hello()` says how it went.
   */
  static open(options: RedisSocketOptions, events: RedisSocketEvents): RedisSocket {
    return new RedisSocket(connect(options), events);
  }

  /** Says who asks. To be called first. @throws {Error} Nobody is there, or says no. */
  async hello({ username = "default", password, database }: RedisAccess): Promise<void> {
    const auth = password === undefined ? [] : ["AUTH", username, password];
    let server: RedisReply;
    try {
      server = await this.command(["HELLO", "3", ...auth]);
    } catch (error) {
      // *Security*: one that does not know the command repeats it, with the password.
      throw error instanceof RedisError ? new RedisError(error.code) : error;
    }
    // A cluster has one database: there the number is part of the names alone.
    const isCluster = Array.isArray(server) && server[server.indexOf("mode") + 1] === "cluster";
    if (database > 0 && !isCluster) await this.command(["SELECT", `${database}`]);
  }

  /** Asks; what is asked first is answered first. @throws {RedisError} It said no. */
  command(args: readonly string[]): Promise<RedisReply> {
    return this.#ask(args, {});
  }

  /** Resolves when everything that is published under the name from now on comes. */
  async subscribe(name: string, listener: RedisListener): Promise<void> {
    this.#listeners.set(name, listener);
    await this.#ask(["SSUBSCRIBE", name], {});
  }

  /** Resolves when nothing that is published under the name comes any more. */
  async unsubscribe(name: string): Promise<void> {
    this.#listeners.delete(name);
    this.#leaving.set(name, (this.#leaving.get(name) ?? 0) + 1);
    this.#ask(["SUNSUBSCRIBE", name], { unsubscribes: name }).catch(() => {});
    // Its answer tells that the first one was there: that may look like a push that nobody asked for.
    await this.command(["PING"]);
  }

  /** Ends it. What was not answered is rejected. */
  destroy(): void {
    this.#end(new Error("The connection is over"));
  }

  #ask(args: readonly string[], kind: Partial<Question>): Promise<RedisReply> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    let text = `*${args.length}\r\n`;
    for (const arg of args) text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
    if (this.#out.push(text) === 1) queueMicrotask(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#questions.push({ ...kind, resolve, reject });
    });
  }

  #flush(): void {
    if (this.#error !== undefined) return;
    this.#socket.write(this.#out.length === 1 ? this.#out[0]! : this.#out.join(""));
    this.#out = [];
  }

  #take(piece: Buffer): void {
    try {
      this.#reader.take(piece, (reply, isPush) => {
        if (isPush) this.#push(reply as readonly RedisReply[]);
        else this.#answer(reply);
      });
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #push([kind, name, content]: readonly RedisReply[]): void {
    if (kind === "smessage") this.#listeners.get(String(name))?.(String(content), String(name));
    else if (kind === "ssubscribe") this.#next()?.resolve(null);
    else if (kind === "sunsubscribe" && !this.#leaving.has(String(name))) {
      this.#listeners.delete(String(name));
      this.#events.moved(String(name));
    }
  }

  #answer(reply: RedisReply): void {
    let question = this.#next();
    if (question?.unsubscribes !== undefined) {
      // At once: a push that comes right after it is about a later subscription.
      this.#left(question.unsubscribes);
      // It was answered by a push, unless this is an error: then it is the answer.
      if (!(reply instanceof RedisError)) {
        question.resolve(null);
        question = this.#next();
      }
    }
    if (reply instanceof RedisError) question?.reject(reply);
    else question?.resolve(reply);
  }

  #left(name: string): void {
    const others = this.#leaving.get(name)! - 1;
    if (others > 0) this.#leaving.set(name, others);
    else this.#leaving.delete(name);
  }

  #next(): Question | undefined {
    const question = this.#questions[this.#answered++];
    if (this.#answered === this.#questions.length) {
      this.#questions = [];
      this.#answered = 0;
    } else if (this.#answered > 1024) {
      this.#questions.splice(0, this.#answered);
      this.#answered = 0;
    }
    return question;
  }

  #end(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#socket.destroy();
    for (const { reject } of this.#questions.splice(0).slice(this.#answered)) reject(error);
    this.#listeners.clear();
    this.#events.over(error);
  }
}

function connect({ address: { host, port }, access: { tls }, ca }: RedisSocketOptions): Socket {
  const socket = tls
    ? connectTls({
      host,
      port,
      ...(ca === undefined ? {} : { ca }),
      ...(isIP(host) === 0 ? { servername: host } : {}),
    })
    : connectPlain({ host, port });
  return socket.setNoDelay(true).setKeepAlive(true, 5_000);
}
