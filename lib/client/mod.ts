/**
 * The client: a typed, reconnecting connection for browsers, Deno and Node.
 *
 * Imports only the protocol, and does nothing until {@linkcode connect} is called.
 *
 * @module
 */
export { connect } from "./connect.ts";
export type { ConnectOptions } from "./connect_options.ts";
export type { RealtimeSocket, SocketState } from "./realtime_socket.ts";
export type { StreamPosition } from "./stream_options.ts";
export { RequestError } from "./request_error.ts";
