import type { MessageFrame, Messages, ServerData } from "../../protocol/mod.ts";
import type { ServerType } from "../../protocol/messages.ts";
import type { RealtimeSocket } from "../realtime_socket.ts";

/** The hooks of React or Preact that the hooks of the client are made from. */
export interface HookPrimitives {
  useEffect(effect: () => void | (() => void), dependencies: readonly unknown[]): void;
  useRef<T>(initial: T): { current: T };
  useState<T>(initial: T): readonly [T, (change: T | ((before: T) => T)) => void];
}

/**
 * Functions that pick a value out of messages, by type.
 *
 * @internal
 */
export type MessagePicks<M extends Messages, R> = {
  readonly [T in ServerType<M>]?: (data: ServerData<M, T>, frame: MessageFrame) => R;
};

/**
 * What functions of {@linkcode MessagePicks} return.
 *
 * @internal
 */
export type Picked<K> = {
  [T in keyof K]: K[T] extends ((...values: never[]) => infer R) | undefined ? R : never;
}[keyof K];

/** Calls `take` with what the functions pick out of the messages of their types. */
export function pick<M extends Messages, R>(
  socket: RealtimeSocket<M>,
  picks: MessagePicks<M, R>,
  take: (value: R, frame: MessageFrame) => void,
): (() => void)[] {
  return (Object.keys(picks) as ServerType<M>[]).map((type) =>
    socket.on(type, (data, frame) => take(picks[type]!(data, frame), frame))
  );
}

/** Returns a function that calls all others. */
export function stopAll(stops: readonly (() => void)[]): () => void {
  return () => stops.forEach((stop) => stop());
}
