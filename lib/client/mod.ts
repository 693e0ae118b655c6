/**
 * The client: a typed, reconnecting connection for browsers, Deno and Node.
 *
 * Imports only the protocol, and does nothing until {@linkcode connect} is called.
 *
 * @module
 */
export { connect } from "./connect.ts";
export type { ConnectOptions } from "./connect_options.ts";
export type { ClientEnvironment } from "./environment.ts";
export type { RealtimeSocket, RequestOptions, SocketState } from "./realtime_socket.ts";
export type {
  LoadBeforeOptions,
  OlderMessages,
  Recovery,
  StreamPosition,
  StreamStart,
} from "./stream_options.ts";
export { RequestError, type RequestErrorCode } from "./request_error.ts";
