import { Buffer } from "node:buffer";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RedisAccess, RedisAddress } from "./redis_address.ts";
import { RedisReader, type RedisReply, RedisReplyError } from "./redis_reader.ts";

/** Receives the messages published under a name. */
export type RedisListener = (text: string, name: string) => void;

/** Options of {@linkcode RedisSocket.open}. */
export interface RedisSocketOptions {
  readonly address: RedisAddress;
  readonly access: RedisAccess;
  /** The trusted certificate authorities, as PEM; by default, those that the runtime trusts. */
  readonly ca: string | undefined;
}

/** Callbacks of a {@linkcode RedisSocket}. */
export interface RedisSocketEvents {
  /** Called when Redis ended the subscription to `name` without a request: its slot has moved. */
  moved(name: string): void;
  /** Called when the connection has ended. */
  over(error: Error): void;
}

interface Question {
  /** The name, if this is an unsubscribe: its reply is a push (like an unrequested one) or an error. */
  readonly unsubscribes?: string;
  resolve(reply: RedisReply): void;
  reject(error: Error): void;
}

/**
 * A pipelined connection to Redis 7 or later (RESP3) for both commands and sharded subscriptions, so
 * that replies and messages arrive in one order.
 */
export class RedisSocket {
  readonly #socket: Socket;
  readonly #events: RedisSocketEvents;
  readonly #reader = new RedisReader();
  readonly #listeners = new Map<string, RedisListener>();
  /** Names with pending unsubscribes, whose push is expected. */
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
   * Starts to connect. Commands are queued until then; `hello()` rejects if the connection fails.
   */
  static open(options: RedisSocketOptions, events: RedisSocketEvents): RedisSocket {
    return new RedisSocket(connect(options), events);
  }

  /** Signs in; the first call on a socket. @throws {Error} The server is unreachable or refuses. */
  async hello({ username = "default", password, database }: RedisAccess): Promise<void> {
    const auth = password === undefined ? [] : ["AUTH", username, password];
    let server: RedisReply;
    try {
      server = await this.command(["HELLO", "3", ...auth]);
    } catch (error) {
      // *Security*: a server that does not know the command repeats it, including the password.
      throw error instanceof RedisReplyError ? new RedisReplyError(error.code) : error;
    }
    // A cluster has only one database; there, the number is only part of the names.
    const isCluster = Array.isArray(server) && server[server.indexOf("mode") + 1] === "cluster";
    if (database > 0 && !isCluster) await this.command(["SELECT", `${database}`]);
  }

  /** Sends a command. Replies arrive in the order of the calls. @throws {RedisReplyError} An error reply. */
  command(args: readonly string[]): Promise<RedisReply> {
    return this.#ask(args, {});
  }

  /** Resolves when all later messages under the name will arrive. */
  async subscribe(name: string, listener: RedisListener): Promise<void> {
    this.#listeners.set(name, listener);
    await this.#ask(["SSUBSCRIBE", name], {});
  }

  /** Resolves when no more messages under the name will arrive. */
  async unsubscribe(name: string): Promise<void> {
    this.#listeners.delete(name);
    this.#leaving.set(name, (this.#leaving.get(name) ?? 0) + 1);
    this.#ask(["SUNSUBSCRIBE", name], { unsubscribes: name }).catch(() => {});
    // This reply marks the end of the unsubscribe, whose own reply may look like an unrequested push.
    await this.command(["PING"]);
  }

  /** Closes the connection. Rejects commands without a reply. */
  destroy(): void {
    this.#end(new Error("The connection was closed"));
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
      // At once: a push right after it belongs to a later subscription.
      this.#left(question.unsubscribes);
      // The unsubscribe was answered by a push, unless this reply is an error.
      if (!(reply instanceof RedisReplyError)) {
        question.resolve(null);
        question = this.#next();
      }
    }
    if (reply instanceof RedisReplyError) question?.reject(reply);
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
