/**
 * The client: a typed, reconnecting connection for browsers, Deno and Node.
 *
 * Imports only the protocol, and does nothing until {@linkcode connect} is called.
 *
 * @module
 */
export { connect, type ConnectOptions } from "./connect.ts";
export type { ClientEnvironment, ClientWebSocket, ClientWebSocketEvent } from "./environment.ts";
export type {
  RealtimeSocket,
  RequestOptions,
  SocketDetail,
  SocketState,
} from "./realtime_socket.ts";
export { RequestError, type RequestErrorCode } from "./request_error.ts";
