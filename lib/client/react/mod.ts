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
  createUseHistory,
  type UsedHistory,
  type UseHistoryOptions,
} from "../hooks/use_history.ts";
import { createUsePresence, type UsePresenceOptions } from "../hooks/use_presence.ts";
import { createUseSocket, type UsedSocket, type UseSocketOptions } from "../hooks/use_socket.ts";
import type { MessagePicks, Picked } from "../hooks/primitives.ts";
import type { RealtimeSocket } from "../realtime_socket.ts";

const library = { useEffect, useRef, useState };
const socketHook = /* @__PURE__ */ createUseSocket(library);
const presenceHook = /* @__PURE__ */ createUsePresence(library);
const historyHook = /* @__PURE__ */ createUseHistory(library);

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
  return socketHook(address, options);
}

/**
 * Returns who is present, from the messages of a socket: the list that a message sends on entry, with
 * those who join and leave. Call it beside `useSocket()`: a component that is shown later has missed
 * the list.
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
  return presenceHook(socket, options);
}

/**
 * Returns the messages of a stream, oldest first: the newest ones at first, then each new one, once and
 * in order across reconnects; `loadOlder()` loads older ones.
 *
 * @example
 * ```tsx ignore
 * const { messages, hasOlder, loadOlder } = useHistory(socket, {
 *   stream: "room",
 *   messages: { said: ({ id, text }) => ({ id, text }) },
 * });
 * ```
 */
export function useHistory<M extends Messages, K extends MessagePicks<M, unknown>>(
  socket: RealtimeSocket<M> | undefined,
  options: UseHistoryOptions<K>,
): UsedHistory<Picked<K>> {
  return historyHook(socket, options);
}
