import type { StreamPosition } from "../protocol/frames.ts";
import type { LayerMessage } from "../core/consumer.ts";

export type { StreamPosition };

/** A message of a stream, as it was stored. */
export interface StreamMessage extends Omit<LayerMessage, "mark"> {
  /** Its position: 1 for the first message of an epoch, and one more for each further message. */
  readonly offset: number;
  /** When it was stored, in milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The outcome of {@linkcode StreamStore.append}.
 *
 * @internal
 */
export interface Appended extends StreamPosition {
  /** Whether the key was known, and nothing was appended; the other properties are those of the first append. */
  readonly isRepeated: boolean;
  /** The reply that was stored with the key. */
  readonly reply: unknown;
}

/**
 * Messages of a stream, oldest first, and its extent at the time of the read.
 *
 * @internal
 */
export interface StreamPage extends StreamPosition {
  /** The offset of the oldest kept message; `offset + 1` if none is kept. */
  readonly first: number;
  /** Earlier epochs of the stream, each with the offset up to which its messages are those of this epoch. */
  readonly earlier?: readonly StreamPosition[] | undefined;
  /** The messages, oldest first. */
  readonly messages: readonly StreamMessage[];
  /** Whether more messages follow: newer ones with `after`, otherwise older ones. */
  readonly more: boolean;
}

/**
 * Keeps streams: append-only logs of messages, each with an epoch and offsets. It also remembers the
 * keys of commands, so that they take effect once.
 *
 * Every store keeps the guarantees of `docs/stream_spec.md`, and `testStreamStore()` checks them. A
 * write costs the same however long the stream is.
 */
export interface StreamStore extends AsyncDisposable {
  /**
   * Returns the extent of a stream. A stream begins with its first use.
   *
   * @throws {TypeError} The name is invalid.
   * @throws {StreamError} `UNAVAILABLE` or `CLOSED`.
   */
  state(stream: string): Promise<Omit<StreamPage, "messages" | "more">>;
  /**
   * Stores a message at the end of a stream and, with `key`, the key and the reply in the same atomic
   * step. Resolves once it is stored.
   *
   * @throws {TypeError} The name or key is invalid, or the message or reply is not plain data.
   * @throws {StreamError} `MESSAGE_TOO_LARGE`, `LIMIT_REACHED`, `UNAVAILABLE` or `CLOSED`. After
   * `UNAVAILABLE` the message may have been stored: with a key, the append can be repeated.
   */
  append(stream: string, message: LayerMessage, options?: {
    /**
     * Makes the append idempotent: a second append to the stream with the same key, within the window of
     * the store, appends nothing. Up to 512 characters.
     */
    readonly key?: string | undefined;
    /** Stored together with the key, and returned to repetitions. Plain data. */
    readonly reply?: unknown;
  }): Promise<Appended>;
  /**
   * Reads messages: those after an offset, those before one, or the newest. At most one of `after` and
   * `before`.
   *
   * @throws {RangeError} A number is out of range.
   * @throws {StreamError} `UNAVAILABLE` or `CLOSED`.
   */
  read(stream: string, options?: {
    /** Reads messages with a greater offset, from the oldest on. */
    readonly after?: number | undefined;
    /** Reads messages with a smaller offset, the newest of them. */
    readonly before?: number | undefined;
    /** Maximum number of messages, 1 to 500. @default {100} */
    readonly limit?: number | undefined;
    /** Maximum size of their JSON, in bytes; at least one message is read. @default {262_144} */
    readonly maxBytes?: number | undefined;
  }): Promise<StreamPage>;
  /** Returns the outcome of the append with a key, or `undefined`. */
  find(stream: string, key: string): Promise<Appended | undefined>;
  /** Deletes all messages with a smaller offset than `before`. */
  trim(stream: string, before: number): Promise<void>;
  /** Deletes all messages and begins a new epoch. Keys are kept. */
  clear(stream: string): Promise<void>;
  /**
   * Claims a command by its key before it runs, if its effect is not an append. A claim holds for 10 s.
   * Settle it with the outcome; if the caller stops without doing so, later claims are `unknown`.
   */
  claim(key: string): Promise<
    /** The caller must run the command, call `renew` regularly, and then `settle`. */
    | { readonly state: "claimed"; readonly token: string }
    /** Another caller is running it. */
    | { readonly state: "running" }
    /** It has run, with this outcome. */
    | { readonly state: "settled"; readonly outcome: unknown }
    /** Its caller stopped in the middle; the effect is unknown. */
    | { readonly state: "unknown" }
  >;
  /** Extends a claim to 10 s from now. Resolves with false if it no longer holds. */
  renew(key: string, token: string): Promise<boolean>;
  /** Stores the outcome of a claimed command. Resolves with false if the claim no longer holds. */
  settle(key: string, token: string, outcome: unknown): Promise<boolean>;
  /** Gives up a claim: the command had no effect and may run again. */
  release(key: string, token: string): Promise<void>;
  /** Releases all resources. Later calls reject with `CLOSED`. */
  close(): Promise<void>;
}

/** @internal Options of {@linkcode StreamStore.append}. */
export type AppendOptions = NonNullable<Parameters<StreamStore["append"]>[2]>;

/** @internal Options of {@linkcode StreamStore.read}. */
export type StreamReadOptions = NonNullable<Parameters<StreamStore["read"]>[1]>;

/** @internal The state of a command: see {@linkcode StreamStore.claim}. */
export type Claim = Awaited<ReturnType<StreamStore["claim"]>>;

/** @internal The extent of a stream. */
export type StreamState = Omit<StreamPage, "messages" | "more">;
