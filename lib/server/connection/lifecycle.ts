import type {
  AcceptOptions,
  Connection,
  ConnectionEnd,
  EndListener,
} from "../../core/connection.ts";
import {
  type ConnectionHandler,
  StopConsumer,
  type UnhandledMessageError,
} from "../../core/consumer.ts";
import type { Freshness } from "../../core/freshness.ts";
import { isOutage } from "../../core/outage.ts";
import { isPromise } from "../../core/promises.ts";
import { SmallSet } from "../../core/small_set.ts";
import type { SocketEvents } from "../../core/transport.ts";
import { CloseCode, Refusal } from "../../protocol/mod.ts";
import { type Answer, HttpExchange } from "./http_exchange.ts";
import { refusalOfEnd, refusalOfError } from "../refusals.ts";

/** A consumer's decision: to accept the client as a socket, to answer a request, or to refuse. */
export type Decision =
  | { readonly accepted: AcceptOptions }
  | { readonly answer: Promise<Answer> }
  | { readonly refused: Refusal };

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

/** What the lifecycles of all connections share. */
export interface LifecycleContext {
  /** Notified when accepted connections end. */
  readonly server: ConnectionServer;
  /** Tells when permissions may be out of date; responses wait meanwhile. */
  readonly freshness?: Freshness | undefined;
  /** Counts consumers that accepted a client, and their calls of `disconnect()`. */
  readonly lifecycleCounts: { connected: number; disconnected: number };
}

/** The connection that lives. */
export interface LifecycleOwner extends SocketEvents, Connection {
  /** Whether the client can be accepted as a socket: an upgrade, or one that wants an event stream. */
  readonly isUpgrade: boolean | "events";
}

/**
 * The phases of one connection: the decision about its client, until the server takes it, and its end,
 * of which the server, the listeners and the consumer are notified once. Errors of listeners and of
 * `disconnect()` are logged and stop nothing else.
 */
export class Lifecycle {
  /** The response to a plain request. */
  exchange: HttpExchange | undefined;
  phase: "deciding" | "open" | "ended" = "deciding";
  /** Whether the client was accepted; this stays true after the end. */
  isAccepted = false;
  /** How the connection ended; undefined before. */
  endedBy: ConnectionEnd | undefined;
  readonly #context: LifecycleContext;
  readonly #owner: LifecycleOwner;
  readonly #listeners = new SmallSet<EndListener>();
  #isWatched = false;
  #isReleased = false;
  #decision: Decision | undefined;
  #settle: ((decision: Decision) => void) | undefined;

  constructor(context: LifecycleContext, owner: LifecycleOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** The refusal, if the decision is one that the server has not taken. */
  get refusal(): Refusal | undefined {
    const decision = this.#decision;
    return decision !== undefined && "refused" in decision ? decision.refused : undefined;
  }

  /** Returns the decision: without a promise if it has been made. */
  take(): Decision | Promise<Decision> {
    const decision = this.#decision;
    this.#decision = undefined;
    return decision ?? new Promise((resolve) => this.#settle = resolve);
  }

  /**
   * Accepts a socket. Returns false if the client was accepted before.
   *
   * @throws {StopConsumer} The connection has ended, or the request is not an upgrade.
   */
  accept(options: AcceptOptions): boolean {
    this.#assertNotEnded();
    if (this.phase === "open") return false;
    const { isUpgrade } = this.#owner;
    if (!isUpgrade || (isUpgrade === "events" && options.eventStream === undefined)) {
      this.refuse(Refusal.of("UPGRADE_REQUIRED"));
      throw new StopConsumer("The request cannot become a socket");
    }
    this.#accept({ accepted: options });
    return true;
  }

  /** Accepts a plain request. @throws {StopConsumer} The connection has ended. */
  acceptRequest(): HttpExchange {
    this.#assertNotEnded();
    if (this.exchange !== undefined) return this.exchange;
    if (this.phase === "open") {
      throw new TypeError("Cannot answer a request that was upgraded to a socket");
    }
    this.exchange = new HttpExchange(this.#owner, this.#context.freshness);
    this.#accept({ answer: this.exchange.answer });
    return this.exchange;
  }

  /** Refuses the client. No effect once a socket is accepted or a response has started. */
  refuse(refusal: Refusal): void {
    if (this.exchange?.refuse(refusal) !== true && this.phase !== "deciding") return;
    this.#decide({ refused: refusal });
    this.#owner.end(CloseCode.forbidden, refusal.code);
  }

  /** Refuses a client that the consumer has neither accepted nor refused. */
  refuseUndecided(): void {
    if (this.phase === "deciding") this.refuse(Refusal.of("FORBIDDEN"));
  }

  /**
   * Refuses a client because its consumer threw, or ends its connection if a service is unavailable.
   * Returns false if an answer has started and the error is unexpected.
   */
  failed(error: unknown): boolean {
    const isUndecided = this.phase === "deciding";
    const { id, log } = this.#owner;
    const refusal = refusalOfError(error);
    if (isOutage(error)) log.debug("A service is unavailable", { connection: id, error });
    if (error instanceof StopConsumer) this.refuseUndecided();
    else if (refusal !== undefined && (isUndecided || this.exchange?.isPending)) {
      this.refuse(refusal);
    } else if (isUndecided) {
      log.error("Consumer failed before accepting", { connection: id, error });
      this.refuse(Refusal.of("INTERNAL"));
    } else if (isOutage(error)) this.#owner.end(CloseCode.overload, "service unavailable");
    else return false;
    return true;
  }

  /** Ends the decision. With `isAwaited`, a missing one becomes the refusal for `code`. */
  end(code: number, isAwaited: boolean): void {
    // A refusal costs as much as the rest of the end: it is created only if a caller waits for it.
    const isMissing = this.phase === "deciding" && this.#decision === undefined;
    if (isMissing && isAwaited) this.#decide({ refused: refusalOfEnd(code) });
    this.phase = "ended";
  }

  /** Adds a listener, or calls it if the connection has ended. */
  onEnd(listener: EndListener): void {
    if (this.endedBy === undefined) this.#listeners.add(listener);
    else this.#notify(listener, this.endedBy);
  }

  offEnd(listener: EndListener): void {
    this.#listeners.delete(listener);
  }

  /** Notifies the server of the end, too. */
  watch(): void {
    this.#isWatched = true;
    if (this.endedBy !== undefined) this.#context.server.ended(this.#owner, this.endedBy);
  }

  /** Notifies the server, and then the listeners. */
  notify(end: ConnectionEnd): void {
    this.endedBy = end;
    if (this.#isWatched) this.#context.server.ended(this.#owner, end);
    for (const listener of this.#listeners) this.#notify(listener, end);
    this.#listeners.clear();
  }

  /** Notifies the server that the network connection has closed. */
  release(): void {
    if (this.#isWatched && !this.#isReleased) this.#context.server.released(this.#owner);
    this.#isReleased = true;
  }

  /** Notifies the consumer. */
  disconnect(consumer: ConnectionHandler, { code, reason }: ConnectionEnd): void {
    this.#context.lifecycleCounts.disconnected++;
    this.#guard(() => consumer.disconnect(code, reason));
  }

  #accept(decision: Decision): void {
    this.phase = "open";
    this.isAccepted = true;
    this.#context.lifecycleCounts.connected++;
    this.#decide(decision);
  }

  #decide(decision: Decision): void {
    if (this.#settle === undefined) this.#decision = decision;
    else this.#settle(decision);
    this.#settle = undefined;
  }

  #assertNotEnded(): void {
    if (this.phase === "ended") throw new StopConsumer("The connection has ended");
  }
  #notify(listener: EndListener, end: ConnectionEnd): void {
    this.#guard(() => typeof listener === "function" ? listener(end) : listener.ended(end));
  }

  #guard(work: () => void | Promise<void>): void {
    const failed = (error: unknown) => {
      if (error instanceof StopConsumer) return;
      const { id, log } = this.#owner;
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
