/**
 * Consumers: the classes that serve connections.
 *
 * {@linkcode Consumer} serves a socket, {@linkcode JsonConsumer} a socket with typed frames,
 * {@linkcode HttpConsumer} a plain request.
 *
 * @module
 */
export type { Connection } from "../core/connection.ts";
export { type ConnectionHandler, StopConsumer } from "../core/consumer.ts";
export { AcceptConnection } from "./accept_connection.ts";
export { Consumer } from "./consumer.ts";
export type { EventHandlersOf, HandlersOf } from "./handlers.ts";
export { HttpConsumer } from "./http_consumer.ts";
export { messageSender } from "./message_sender.ts";
export { JsonConsumer } from "./json_consumer.ts";
export { deleteCookie, setCookie } from "./set_cookie.ts";
export { streamSender } from "./streams/stream_sender.ts";
