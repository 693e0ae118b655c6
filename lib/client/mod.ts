/**
 * The client: a typed, reconnecting connection for browsers, Deno and Node.
 *
 * Imports only the protocol, and does nothing until {@linkcode connect} is called.
 *
 * @module
 */
export { connect, type ConnectOptions } from "./connect.ts";
export type { ClientEnvironment } from "./environment.ts";
export type { RealtimeSocket, SocketState } from "./realtime_socket.ts";
export { RequestError, type RequestErrorCode } from "./request_error.ts";
