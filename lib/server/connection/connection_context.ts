import type { Connection } from "../../core/connection.ts";
import type { TimeoutList } from "../../time/timers.ts";
import type { SendQueueContext, SendQueueOwner } from "../writing/send_queue.ts";
import type { ClientMessagesContext, ClientMessagesOwner } from "./client_messages.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { LifecycleContext, LifecycleOwner } from "./lifecycle.ts";
import type { SerialQueueContext, SerialQueueOwner } from "./serial_queue.ts";

/** What all connections of a server share. */
export interface ConnectionContext
  extends LifecycleContext, ClientMessagesContext, SerialQueueContext, SendQueueContext {
  /** The first part of the ids of connections. */
  readonly idPrefix: string;
  readonly limits: ConnectionLimits;
  /** Accepted sockets that are not open yet. */
  readonly opening: TimeoutList<Connection>;
}

/** What a connection is to its parts. */
export type PartsOwner = LifecycleOwner & ClientMessagesOwner & SerialQueueOwner & SendQueueOwner;
