/**
 * Hooks for React: a component uses a socket for as long as it is shown.
 *
 * Components with the same address share one connection. On a server, and in the first render, there
 * is no socket yet. Strict Mode and fast refresh do not reconnect.
 *
 * @module
 */
// @ts-types="@types/react"
import { useEffect, useRef, useState } from "react";
import type { Messages } from "../../protocol/mod.ts";
import {
  createHooks,
  type UsedSocket,
  type UsePresenceOptions,
  type UseSocketOptions,
} from "../_hooks.ts";
import type { RealtimeSocket } from "../realtime_socket.ts";

export type { MessagePicks, UsedSocket, UsePresenceOptions, UseSocketOptions } from "../_hooks.ts";

const hooks = createHooks({ useEffect, useRef, useState });

/**
 * Uses a socket while the component is shown. See `connect()` for the address and the options.
 *
 * @typeParam M `typeof messages` of a `defineMessages()`: types the messages in both directions.
 *
 * @example
 * ```tsx ignore
 * const { socket, state } = useSocket<typeof messages>("/ws/chat/lobby", {
 *   on: { said: ({ text }) => setLines((lines) => [...lines, text]) },
 * });
 * ```
 */
export function useSocket<M extends Messages = Messages>(
  address: string | undefined,
  options?: UseSocketOptions<M>,
): UsedSocket<M> {
  return hooks.useSocket(address, options);
}

/**
 * Returns who is present, from the messages of a socket: the list that a message sends on entry, with
 * those who join and leave.
 *
 * @example
 * ```tsx ignore
 * const people = usePresence(socket, {
 *   all: { welcome: ({ people }) => people },
 *   joined: { joined: ({ user }) => user },
 *   left: { left: ({ user }) => user },
 *   keyOf: (user) => user.id,
 * });
 * ```
 */
export function usePresence<M extends Messages, P>(
  socket: RealtimeSocket<M> | undefined,
  options: UsePresenceOptions<M, P>,
): readonly P[] {
  return hooks.usePresence(socket, options);
}
