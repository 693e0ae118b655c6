import type { Connection, ConnectionEnd } from "../../core/connection.ts";
import type { UnhandledMessageError } from "../../core/consumer.ts";
import type { TimeoutList } from "../../time/timers.ts";
import type { SendQueueContext, SendQueueOwner } from "../writing/send_queue.ts";
import type { AdmissionContext, AdmissionOwner } from "./admission.ts";
import type { ClientMessagesContext, ClientMessagesOwner } from "./client_messages.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { SerialQueueContext, SerialQueueOwner } from "./serial_queue.ts";

/** The server that owns the connections. */
export interface ConnectionServer {
  /** Called once when a watched connection ends. */
  ended(connection: Connection, end: ConnectionEnd): void;
  /** Called for each layer message that the consumer has no handler for. */
  unhandled(connection: Connection, error: UnhandledMessageError): void;
  /**
   * Called at most once, before or after `ended()`, when the peer has closed the network connection.
   */
  released(connection: Connection): void;
}

/** What all connections of a server share. */
export interface ConnectionContext
  extends AdmissionContext, ClientMessagesContext, SerialQueueContext, SendQueueContext {
  readonly limits: ConnectionLimits;
  /** Notified when accepted connections end. */
  readonly server: ConnectionServer;
  /** Accepted sockets that are not open yet. */
  readonly opening: TimeoutList<Connection>;
}

/** What a connection is to its parts. */
export type PartsOwner = AdmissionOwner & ClientMessagesOwner & SerialQueueOwner & SendQueueOwner;
