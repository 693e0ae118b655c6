import type { Messages } from "../../protocol/mod.ts";
import type { RealtimeSocket } from "../realtime_socket.ts";
import { type HookPrimitives, type MessagePicks, pick, stopAll } from "./primitives.ts";

/**
 * Options of `usePresence()`: which messages say who is there.
 *
 * @internal
 */
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

/** The hook `usePresence()` of one library. */
export type UsePresence = <M extends Messages, P>(
  socket: RealtimeSocket<M> | undefined,
  options: UsePresenceOptions<M, P>,
) => readonly P[];

/** Creates `usePresence()` from the hooks of a library. */
export function createUsePresence({ useEffect, useRef, useState }: HookPrimitives): UsePresence {
  return function usePresence<M extends Messages, P>(
    socket: RealtimeSocket<M> | undefined,
    options: UsePresenceOptions<M, P>,
  ): readonly P[] {
    const [people, setPeople] = useState<readonly P[]>([]);
    const latest = useRef(options);
    latest.current = options;
    useEffect(() => {
      if (socket === undefined) return setPeople([]);
      const { all, joined = {}, left = {} } = latest.current;
      const without = (before: readonly P[], entry: P): readonly P[] => {
        const { keyOf } = latest.current;
        return before.filter((other) => keyOf(other) !== keyOf(entry));
      };
      return stopAll([
        ...pick<M, readonly P[]>(socket, all, (entries) => setPeople(entries)),
        ...pick<M, P>(
          socket,
          joined,
          (entry) => setPeople((before) => [...without(before, entry), entry]),
        ),
        ...pick<M, P>(socket, left, (entry) => setPeople((before) => without(before, entry))),
      ]);
    }, [socket]);
    return people;
  };
}
