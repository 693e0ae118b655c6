import type { MessageFrame, Messages, ServerData } from "../../protocol/mod.ts";
import type { ServerType } from "../../protocol/messages.ts";
import type { ConnectOptions } from "../connect_options.ts";
import type { RealtimeSocket, SocketState } from "../realtime_socket.ts";
import type { RequestError } from "../request_error.ts";
import type { Recovery } from "../stream_options.ts";
import { type HookPrimitives, stopAll } from "./primitives.ts";
import { acquireSocket } from "./_shared_sockets.ts";

/**
 * Options of `useSocket()`. Of components that share a connection, the first one decides how it connects;
 * each has handlers of its own.
 *
 * @internal
 */
export interface UseSocketOptions<M extends Messages> extends ConnectOptions {
  /** Handlers of the server's messages, by type. They may change with every render. */
  readonly on?:
    | {
      readonly [T in ServerType<M>]?: (data: ServerData<M, T>, frame: MessageFrame) => void;
    }
    | undefined;
  /** Called when reading of a stream went on after an interruption. */
  readonly onRecovered?: ((recovery: Recovery) => void) | undefined;
  /** Called when the server refuses a message of `send()`. */
  readonly onError?: ((error: RequestError) => void) | undefined;
}

/**
 * The result of `useSocket()`.
 *
 * @internal
 */
export interface UsedSocket<M extends Messages> {
  /** The socket; undefined on a server, during the first render, and without an address. */
  readonly socket: RealtimeSocket<M> | undefined;
  /** The state of the socket, `connecting` without one. */
  readonly state: SocketState;
  /** The reason for the state, and what happens next. */
  readonly detail: RealtimeSocket<M>["detail"];
}

/** The hook `useSocket()` of one library. */
export type UseSocket = <M extends Messages>(
  address: string | undefined,
  options?: UseSocketOptions<M>,
) => UsedSocket<M>;

const CONNECTING: UsedSocket<never> = {
  socket: undefined,
  state: "connecting",
  detail: {
    attempt: 0,
    retryInMs: undefined,
    code: undefined,
    reason: "",
    transport: "websocket",
  },
};

/** Creates `useSocket()` from the hooks of a library. */
export function createUseSocket({ useEffect, useRef, useState }: HookPrimitives): UseSocket {
  return function useSocket<M extends Messages>(
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
      show();
      return stopAll([
        socket.onState(show),
        ...listen(socket, types, latest),
        socket.onRecovered((recovery) => latest.current.onRecovered?.(recovery)),
        socket.onError((error) => latest.current.onError?.(error)),
        release,
      ]);
    }, [address, options.user, types]);
    return used;
  };
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
