/**
 * Consumers: the classes that serve connections.
 *
 * {@linkcode Consumer} serves a socket, {@linkcode JsonConsumer} a socket with typed frames,
 * {@linkcode HttpConsumer} a plain request.
 *
 * @module
 */
export type {
  AcceptOptions,
  Connection,
  ConnectionEnd,
  EndListener,
  Exchange,
  ResponseHead,
} from "../core/connection.ts";
export { type ConnectionHandler, type SlowReaderPolicy, StopConsumer } from "../core/consumer.ts";
export { AcceptConnection } from "./accept_connection.ts";
export { BaseConsumer } from "./base_consumer.ts";
export { Consumer } from "./consumer.ts";
export type { EventHandlersOf, HandlersOf } from "./handlers.ts";
export type { ConsumerStreams, StreamSource } from "./streams/consumer_streams.ts";
export { HttpConsumer } from "./http_consumer.ts";
export { type MessageSender, messageSender } from "./message_sender.ts";
export { JsonConsumer } from "./json_consumer.ts";
export type { LayerEvent, ServerMessage } from "./json_messages.ts";
export { deleteCookie, setCookie, type SetCookieOptions } from "./set_cookie.ts";
export type { GroupPolicy } from "./policies.ts";
export { type StreamSender, streamSender } from "./streams/stream_sender.ts";
