import type { Connection, ConnectionEnd, EndListener } from "../../core/connection.ts";
import { type ConnectionHandler, StopConsumer } from "../../core/consumer.ts";
import { isPromise } from "../../core/promises.ts";
import { SmallSet } from "../../core/small_set.ts";
import type { ConnectionContext } from "./connection_context.ts";

/**
 * The end of one connection, as seen by its server, its listeners and its consumer: each is notified
 * once. Errors of listeners and consumers are logged and stop nothing else.
 */
export class ConnectionEnding {
  readonly #connection: Connection;
  readonly #context: ConnectionContext;
  readonly #listeners = new SmallSet<EndListener>();
  #end: ConnectionEnd | undefined;
  #isWatched = false;
  #isReleased = false;

  constructor(connection: Connection, context: ConnectionContext) {
    this.#connection = connection;
    this.#context = context;
  }

  /** How the connection ended; undefined before. */
  get end(): ConnectionEnd | undefined {
    return this.#end;
  }

  /** Adds a listener, or calls it if the connection has ended. */
  add(listener: EndListener): void {
    if (this.#end === undefined) this.#listeners.add(listener);
    else this.#notify(listener, this.#end);
  }

  delete(listener: EndListener): void {
    this.#listeners.delete(listener);
  }

  /** Notifies the server, too. */
  watch(): void {
    this.#isWatched = true;
    if (this.#end !== undefined) this.#context.server.ended(this.#connection, this.#end);
  }

  /** Notifies the server, and then the listeners. */
  notify(end: ConnectionEnd): void {
    this.#end = end;
    if (this.#isWatched) this.#context.server.ended(this.#connection, end);
    for (const listener of this.#listeners) this.#notify(listener, end);
    this.#listeners.clear();
  }

  /** Notifies the server that the network connection has closed. */
  release(): void {
    if (this.#isWatched && !this.#isReleased) this.#context.server.released(this.#connection);
    this.#isReleased = true;
  }

  /** Notifies the consumer. */
  disconnect(consumer: ConnectionHandler, { code, reason }: ConnectionEnd): void {
    this.#context.lifecycleCounts.disconnected++;
    this.#guard(() => consumer.disconnect(code, reason));
  }

  #notify(listener: EndListener, end: ConnectionEnd): void {
    this.#guard(() => typeof listener === "function" ? listener(end) : listener.ended(end));
  }

  #guard(work: () => void | Promise<void>): void {
    const failed = (error: unknown) => {
      if (error instanceof StopConsumer) return;
      const { id, log } = this.#connection;
      log.error("Consumer failed during disconnect", { connection: id, error });
    };
    try {
      const promise = work();
      if (isPromise(promise)) promise.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}
