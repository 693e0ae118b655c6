/**
 * Consumers: what serves a connection.
 *
 * @module
 */
export { StopConsumer } from "../scope.ts";
export { Consumer } from "./consumer.ts";
export type {
  Answer,
  EventHandlers,
  EventHandlersOf,
  Handlers,
  HandlersOf,
  MessageContext,
} from "./handlers.ts";
export { JsonConsumer, type LayerEvent, type ServerMessage } from "./json_consumer.ts";
