import type { MessageFrame, Messages, ServerData, ServerType } from "../protocol/mod.ts";
import { acquireSocket } from "./_shared_sockets.ts";
import type { ConnectOptions } from "./connect.ts";
import type { RealtimeSocket, SocketState } from "./realtime_socket.ts";
import type { RequestError } from "./request_error.ts";

/** The hooks of React or Preact that the hooks of the client are made from. */
export interface HookPrimitives {
  useEffect(effect: () => void | (() => void), dependencies: readonly unknown[]): void;
  useRef<T>(initial: T): { current: T };
  useState<T>(initial: T): readonly [T, (change: T | ((before: T) => T)) => void];
}

/** Options of `useSocket()`. */
export interface UseSocketOptions<M extends Messages> extends ConnectOptions {
  /** Handlers of the server's messages, by type. They may change with every render. */
  readonly on?:
    | {
      readonly [T in ServerType<M>]?: (data: ServerData<M, T>, frame: MessageFrame) => void;
    }
    | undefined;
  /** Called when the server refuses a message of `send()`. */
  readonly onError?: ((error: RequestError) => void) | undefined;
}

/** The result of `useSocket()`. */
export interface UsedSocket<M extends Messages> {
  /** The socket; undefined on a server, during the first render, and without an address. */
  readonly socket: RealtimeSocket<M> | undefined;
  /** The state of the socket, `connecting` without one. */
  readonly state: SocketState;
  /** The reason for the state, and what happens next. */
  readonly detail: RealtimeSocket<M>["detail"];
}

/** Functions that pick a value out of messages, by type. */
export type MessagePicks<M extends Messages, R> = {
  readonly [T in ServerType<M>]?: (data: ServerData<M, T>) => R;
};

/** Options of `usePresence()`: which messages say who is there. */
export interface UsePresenceOptions<M extends Messages, P> {
  /** Messages with everyone who is present, such as a `welcome`. They replace the list. */
  readonly all: MessagePicks<M, readonly P[]>;
  /** Messages that announce somebody, or a change of an entry. */
  readonly joined?: MessagePicks<M, P> | undefined;
  /** Messages that somebody has left. */
  readonly left?: MessagePicks<M, P> | undefined;
  /** Returns what identifies an entry. */
  readonly keyOf: (entry: P) => string;
}

/** The hooks of the client, for one library. */
export interface ClientHooks {
  /** See the modules `react` and `preact`. */
  useSocket<M extends Messages>(
    address: string | undefined,
    options?: UseSocketOptions<M>,
  ): UsedSocket<M>;
  /** See the modules `react` and `preact`. */
  usePresence<M extends Messages, P>(
    socket: RealtimeSocket<M> | undefined,
    options: UsePresenceOptions<M, P>,
  ): readonly P[];
}

const CONNECTING: UsedSocket<never> = {
  socket: undefined,
  state: "connecting",
  detail: { attempt: 0, retryInMs: undefined, code: undefined, reason: "" },
};

/** Creates the hooks of the client from those of a library. */
export function createHooks({ useEffect, useRef, useState }: HookPrimitives): ClientHooks {
  function useSocket<M extends Messages>(
    address: string | undefined,
    options: UseSocketOptions<M> = {},
  ): UsedSocket<M> {
    const [used, setUsed] = useState<UsedSocket<M>>(CONNECTING as UsedSocket<M>);
    const latest = useRef(options);
    latest.current = options;
    const types = Object.keys(options.on ?? {}).sort().join("\n");
    useEffect(() => {
      if (address === undefined) return setUsed(CONNECTING as UsedSocket<M>);
      const [shared, release] = acquireSocket(address, latest.current);
      const socket = shared as unknown as RealtimeSocket<M>;
      const show = () => setUsed({ socket, state: socket.state, detail: socket.detail });
      const stops = [
        socket.onState(show),
        ...listen(socket, types, latest),
        socket.onError((error) => latest.current.onError?.(error)),
      ];
      show();
      return () => {
        for (const stop of stops) stop();
        release();
      };
    }, [address, options.user, types]);
    return used;
  }

  function usePresence<M extends Messages, P>(
    socket: RealtimeSocket<M> | undefined,
    options: UsePresenceOptions<M, P>,
  ): readonly P[] {
    const [people, setPeople] = useState<readonly P[]>([]);
    const latest = useRef(options);
    latest.current = options;
    useEffect(() => {
      if (socket === undefined) return setPeople([]);
      const { all } = latest.current;
      const joined: MessagePicks<M, P> = latest.current.joined ?? {};
      const left: MessagePicks<M, P> = latest.current.left ?? {};
      const without = (before: readonly P[], entry: P): readonly P[] => {
        const { keyOf } = latest.current;
        return before.filter((other) => keyOf(other) !== keyOf(entry));
      };
      const stops = [
        ...pick(socket, all, (entries) => setPeople(entries)),
        ...pick(
          socket,
          joined,
          (entry) => setPeople((before) => [...without(before, entry), entry]),
        ),
        ...pick(socket, left, (entry) => setPeople((before) => without(before, entry))),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    }, [socket]);
    return people;
  }

  return { useSocket, usePresence };
}

/** Listens to the given types with the handlers of the latest render. */
function listen<M extends Messages>(
  socket: RealtimeSocket<M>,
  types: string,
  latest: { readonly current: UseSocketOptions<M> },
): (() => void)[] {
  const names = types.split("\n").filter(Boolean) as ServerType<M>[];
  return names.map((type) =>
    socket.on(type, (data, frame) => latest.current.on?.[type]?.(data, frame))
  );
}

/** Calls `take` with what the functions pick out of the messages of their types. */
function pick<M extends Messages, R>(
  socket: RealtimeSocket<M>,
  picks: MessagePicks<M, R>,
  take: (value: R) => void,
): (() => void)[] {
  return (Object.keys(picks) as ServerType<M>[]).map((type) =>
    socket.on(type, (data) => take(picks[type]!(data)))
  );
}
