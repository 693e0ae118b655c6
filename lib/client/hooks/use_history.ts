import type { MessageFrame, Messages } from "../../protocol/mod.ts";
import type { OlderMessages, RealtimeSocket } from "../realtime_socket.ts";
import type { RequestError } from "../request_error.ts";
import type { Recovery } from "../stream_options.ts";
import {
  type HookPrimitives,
  type MessagePicks,
  pick,
  type Picked,
  stopAll,
} from "./primitives.ts";

/**
 * Options of `useHistory()`.
 *
 * @internal
 */
export interface UseHistoryOptions<K> {
  /** The stream, as the consumer names it. */
  readonly stream: string;
  /** The messages of the stream, by type, and what is kept of each. */
  readonly messages: K;
  /** How many messages are loaded at once, 1 to 500. @default {50} */
  readonly limit?: number | undefined;
  /** How many of the newest messages are kept, besides those that `loadOlder()` loads. @default {1000} */
  readonly maxKept?: number | undefined;
}

/**
 * The result of `useHistory()`.
 *
 * @internal
 */
export interface UsedHistory<E> {
  /** What is kept of the messages, oldest first. */
  readonly messages: readonly E[];
  /** Whether older messages can be loaded. */
  readonly hasOlder: boolean;
  /** Loads older messages, and resolves with their number. Rejects like `request()`. */
  readonly loadOlder: () => Promise<number>;
  /** How reading went on after the last interruption; undefined before the first one. */
  readonly recovery: Recovery | undefined;
  /** Why the newest messages could not be loaded. */
  readonly error: RequestError | undefined;
}

/** The hook `useHistory()` of one library. */
export type UseHistory = <M extends Messages, K extends MessagePicks<M, unknown>>(
  socket: RealtimeSocket<M> | undefined,
  options: UseHistoryOptions<K>,
) => UsedHistory<Picked<K>>;

/** The messages of one stream, with their offsets. */
interface Kept<E> {
  readonly epoch: string | undefined;
  readonly offsets: readonly number[];
  readonly messages: readonly E[];
  /** The oldest offset that was loaded, of whatever type. */
  readonly oldest: number | undefined;
  readonly hasOlder: boolean;
  /** How many were loaded by `loadOlder()`. */
  readonly loaded: number;
  readonly recovery: Recovery | undefined;
  readonly error: RequestError | undefined;
}

const NOTHING: Kept<never> = {
  epoch: undefined,
  offsets: [],
  messages: [],
  oldest: undefined,
  hasOlder: false,
  loaded: 0,
  recovery: undefined,
  error: undefined,
};

/** Creates `useHistory()` from the hooks of a library. */
export function createUseHistory({ useEffect, useRef, useState }: HookPrimitives): UseHistory {
  return function useHistory<M extends Messages, K extends MessagePicks<M, unknown>>(
    socket: RealtimeSocket<M> | undefined,
    options: UseHistoryOptions<K>,
  ): UsedHistory<Picked<K>> {
    type E = Picked<K>;
    const [kept, setKept] = useState<Kept<E>>(NOTHING);
    const latest = useRef({ options, kept });
    latest.current = { options, kept };
    const reader = useRef<() => Promise<number>>(() => Promise.resolve(0));
    const loadOlder = useRef(() => reader.current()).current;
    useEffect(() => {
      setKept(NOTHING);
      if (socket === undefined) return;
      const reading = new Reading<M, E>(socket, latest as Latest<M, E>, setKept);
      reader.current = () => reading.load(latest.current.kept.oldest);
      return () => reading.stop();
    }, [socket, options.stream]);
    const { messages, hasOlder, recovery, error } = kept;
    return { messages, hasOlder, loadOlder, recovery, error };
  };
}

/** The options of the latest render. */
interface Latest<M extends Messages, E> {
  readonly current: { readonly options: UseHistoryOptions<MessagePicks<M, E>> };
}

/** Reads one stream of a socket into the state of a component. */
class Reading<M extends Messages, E> {
  readonly #socket: RealtimeSocket<M>;
  readonly #latest: Latest<M, E>;
  readonly #change: (change: (before: Kept<E>) => Kept<E>) => void;
  readonly stop: () => void;
  #loading: Promise<number> | undefined;
  #isLoaded = false;

  constructor(
    socket: RealtimeSocket<M>,
    latest: Latest<M, E>,
    setKept: (change: (before: Kept<E>) => Kept<E>) => void,
  ) {
    this.#socket = socket;
    this.#latest = latest;
    const { stream, messages } = latest.current.options;
    let isStopped = false;
    this.#change = (change) => isStopped || setKept(change);
    this.stop = stopAll([
      ...pick<M, E>(socket, messages, (message, frame) => {
        if (frame.stream === stream) this.#change((kept) => this.#append(kept, message, frame));
      }),
      socket.onRecovered((recovery) => {
        if (recovery.stream === stream) this.#change((kept) => ({ ...kept, recovery }));
      }),
      socket.onState(() => this.#begin()),
      () => isStopped = true,
    ]);
    this.#begin();
  }

  /** Loads the newest messages once the socket is live. */
  #begin(): void {
    if (this.#isLoaded || this.#socket.state !== "live") return;
    this.load(undefined).catch((error) => {
      // The next connection tries again.
      if (error.code === "DISCONNECTED" || error.code === "TIMEOUT") return;
      this.#change((kept) => ({ ...kept, error }));
    });
  }

  /** Loads the messages before an offset, or the newest ones. One request at a time. */
  load(before: number | undefined): Promise<number> {
    return this.#loading ??= this.#load(before).finally(() => this.#loading = undefined);
  }

  async #load(before: number | undefined): Promise<number> {
    const { stream, limit = 50 } = this.#latest.current.options;
    const range = { before: before ?? Number.MAX_SAFE_INTEGER, limit };
    const older = await this.#socket.loadBefore(stream, range);
    this.#isLoaded = true;
    this.#change((kept) => this.#prepend(kept, older, before !== undefined));
    return older.messages.length;
  }

  #append(kept: Kept<E>, message: E, { epoch, offset = 0 }: MessageFrame): Kept<E> {
    // Another epoch is another history.
    if (epoch !== kept.epoch) {
      const only = { offsets: [offset], messages: [message], oldest: offset, loaded: 0 };
      return { ...kept, ...only, epoch, hasOlder: offset > 1 };
    }
    if (offset <= (kept.offsets.at(-1) ?? 0)) return kept;
    const most = (this.#latest.current.options.maxKept ?? 1_000) + kept.loaded;
    const offsets = [...kept.offsets, offset].slice(-most);
    const messages = [...kept.messages, message].slice(-most);
    const isFull = kept.offsets.length >= most;
    const oldest = isFull ? offsets[0] : kept.oldest;
    return { ...kept, offsets, messages, oldest, hasOlder: kept.hasOlder || isFull };
  }

  #prepend(kept: Kept<E>, { messages, more }: OlderMessages, isOlder: boolean): Kept<E> {
    const epoch = messages[0]?.epoch ?? kept.epoch;
    if (kept.epoch !== undefined && kept.epoch !== epoch) return kept;
    const first = kept.offsets[0] ?? Infinity;
    const { messages: picks } = this.#latest.current.options;
    const pickOf = picks as Readonly<
      Record<string, ((data: unknown, frame: MessageFrame) => E) | undefined>
    >;
    const older = messages.filter(({ type, offset = 0 }) => offset < first && pickOf[type]);
    const values = older.map((frame) => pickOf[frame.type]!(frame.data, frame));
    return {
      ...kept,
      epoch,
      offsets: [...older.map(({ offset = 0 }) => offset), ...kept.offsets],
      messages: [...values, ...kept.messages],
      oldest: messages[0]?.offset ?? kept.oldest,
      hasOlder: more,
      loaded: kept.loaded + (isOlder ? values.length : 0),
    };
  }
}
