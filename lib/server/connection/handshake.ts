import type { ConnectionEnd } from "../../core/connection.ts";
import type { Transport } from "../../core/transport.ts";
import type { Refusal } from "../../protocol/mod.ts";
import type { RequestScope } from "../request_scope.ts";
import { refusalOfEnd } from "./refusal_of_end.ts";
import type { ServerConnection } from "./server_connection.ts";

/** A request with its scope and connection, until it is answered. */
export class Handshake {
  readonly request: Request;
  /** The transport of the server that received the request. */
  readonly transport: Transport | undefined;
  readonly scope: RequestScope;
  readonly connection: ServerConnection;
  /** Answers the request while the application is still deciding; `isAnswered` is then true. */
  answerEarly: ((refusal: Refusal) => void) | undefined;
  isAnswered = false;

  constructor(
    request: Request,
    transport: Transport | undefined,
    scope: RequestScope,
    connection: ServerConnection,
  ) {
    this.request = request;
    this.transport = transport;
    this.scope = scope;
    this.connection = connection;
  }

  /** Called when the connection ends. A started consumer settles the decision itself. */
  ended(end: ConnectionEnd): void {
    if (this.connection.hasConsumer || this.answerEarly === undefined) return;
    this.isAnswered = true;
    this.answerEarly(this.connection.refusal ?? refusalOfEnd(end.code));
  }
}
