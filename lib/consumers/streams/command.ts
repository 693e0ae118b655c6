import type { Scope } from "../../core/scope.ts";
import { FrameError } from "../../protocol/mod.ts";
import type { Appended, StreamStore } from "../../streams/stream_store.ts";
import { commandKey, runOnce } from "./commands.ts";
import type { StreamSession } from "./consumer_streams.ts";

/** The streams of the consumer, whatever its scope. */
type Session = Pick<StreamSession, "find" | "remind">;

/** The commands with a key of one connection, which run one at a time. */
export class Commands {
  readonly #scope: Scope;
  readonly #session: () => Session;
  #current: Command | undefined;

  /** @param session Returns the streams of the consumer. */
  constructor(scope: Scope, session: () => Session) {
    this.#scope = scope;
    this.#session = session;
  }

  /**
   * Runs a handler once per key, and returns the first reply.
   *
   * @param appends The stream that the handler appends to, if that is its whole effect.
   * @throws {FrameError} `INVALID_MESSAGE`: there is no store for keys.
   */
  async run(
    key: string,
    appends: string | undefined,
    handler: () => Promise<unknown>,
  ): Promise<unknown> {
    const command = new Command(this.#scope, key, appends);
    this.#current = command;
    try {
      return await command.run(appends === undefined ? undefined : this.#session(), handler);
    } finally {
      this.#current = undefined;
    }
  }

  /** Appends, with the key of the command that is running. */
  append(stream: string, append: (key?: string) => Promise<Appended>): Promise<Appended> {
    return this.#current?.append(stream, append) ?? append();
  }
}

/** A command with a key, while its handler runs. */
class Command {
  readonly #scope: Scope;
  readonly #store: StreamStore;
  readonly #key: string;
  /** The stream that the handler appends to, if that is its whole effect. */
  readonly #appends: string | undefined;
  #appended: Appended | undefined;
  #isAppending = false;

  /** @throws {FrameError} `INVALID_MESSAGE`: there is no store for keys. */
  constructor(scope: Scope, key: string, appends: string | undefined) {
    const { streamStore } = scope as Scope & { readonly streamStore?: StreamStore };
    if (streamStore === undefined) throw keysUnsupported();
    this.#scope = scope;
    this.#store = streamStore;
    this.#key = commandKey(scope, key);
    this.#appends = appends;
  }

  /** Runs the handler once per key, and returns the first reply. */
  run(session: Session | undefined, handler: () => unknown): Promise<unknown> {
    if (session === undefined) return runOnce(this.#store, this.#key, this.#scope, handler);
    return this.#runAppend(session, handler);
  }

  /** Appends with the key if the stream is the declared one and this is the first append. */
  async append(
    stream: string,
    append: (key?: string) => Promise<Appended>,
  ): Promise<Appended> {
    if (stream !== this.#appends || this.#isAppending) return await append();
    this.#isAppending = true;
    return this.#appended = await append(this.#key);
  }

  async #runAppend(session: Session, handler: () => unknown): Promise<unknown> {
    const stream = this.#appends!;
    const known = await session.find(stream, this.#key);
    if (known === undefined) {
      const result = await handler();
      if (this.#appended === undefined) return result; // The handler decided to append nothing.
      if (this.#appended.reply === undefined && result !== undefined) {
        throw new TypeError(`Pass the reply to append("${stream}", …, { reply }), too`);
      }
      if (!this.#appended.isRepeated) return result;
    }
    // The process of the first append may have died before it sent the message.
    await session.remind(stream);
    return (known ?? this.#appended)!.reply;
  }
}

function keysUnsupported(): FrameError {
  return new FrameError("INVALID_MESSAGE", "Commands with a key are not accepted here", {
    issues: [{ path: "key", message: "Expected no key" }],
  });
}
