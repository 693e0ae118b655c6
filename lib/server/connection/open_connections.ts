import type { Clock } from "../../core/clock.ts";
import type { Connection, ConnectionEnd } from "../../core/connection.ts";
import type { UnhandledMessageError } from "../../core/consumer.ts";
import type { Log } from "../../core/log.ts";
import { CloseCode } from "../../protocol/mod.ts";
import { TimeoutList } from "../../time/timers.ts";
import type { ConnectionContext } from "./connection_context.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { ConnectionServer } from "./lifecycle.ts";
import { ServerConnection } from "./server_connection.ts";
import { SharedRates } from "./client_messages.ts";
import { Drain } from "../drain.ts";
import type { Handler, HandlerOptions } from "../handler.ts";
import { StalledReaders } from "../writing/stalled_readers.ts";
import { WriteBatcher } from "../writing/send_queue.ts";

/** How long a drain waits for the peers to answer its close frames, in milliseconds. */
const LINGER_MS = 1_000;

/** Maximum number of message types without a handler that are logged, once each. */
const MAX_UNHANDLED_TYPES = 100;

/** Dependencies of {@linkcode OpenConnections}. */
export interface OpenConnectionsOptions extends Pick<HandlerOptions, "freshness" | "random"> {
  readonly limits: ConnectionLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** The connections of a server: creates, counts and ends them. */
export class OpenConnections implements ConnectionServer {
  /** The drain of a stopping server. */
  drain: Drain | undefined;
  readonly #random: (() => number) | undefined;
  readonly #context: ConnectionContext;
  readonly #open = new Set<Connection>();
  readonly #lingering = new Set<Connection>();
  #serial = 0;
  #accepted = 0;
  #unhandled = 0;
  /** The types that have been logged. */
  readonly #unhandledTypes = new Set<string>();
  #onReleased: (() => void) | undefined;

  constructor({ limits, clock, log, freshness, random }: OpenConnectionsOptions) {
    this.#random = random;
    this.#context = {
      idPrefix: crypto.randomUUID().slice(0, 8),
      limits,
      clock,
      log,
      freshness,
      server: this,
      stalled: new StalledReaders(clock),
      batcher: new WriteBatcher(),
      sharedRates: new SharedRates(),
      lifecycleCounts: { connected: 0, disconnected: 0 },
      opening: new TimeoutList<Connection>(clock, limits.openTimeoutMs, (connection) => {
        connection.end(CloseCode.abnormal, "not opened");
      }),
    };
  }

  /** The counters, except that of refusals. */
  get stats(): Omit<Handler["stats"], "refused"> {
    const { lifecycleCounts, stalled } = this.#context;
    return {
      open: this.#open.size,
      accepted: this.#accepted,
      ...lifecycleCounts,
      lingering: this.#lingering.size,
      unhandled: this.#unhandled,
      stalled: stalled.size,
      dropped: stalled.dropped,
    };
  }

  /** Creates the connection of a request. */
  create(isUpgrade: boolean | "events"): ServerConnection {
    return new ServerConnection(++this.#serial, this.#context, isUpgrade);
  }

  /** Adds an accepted connection. */
  add(connection: ServerConnection): void {
    this.#accepted++;
    this.#open.add(connection);
    connection.watch();
    const { clock, limits: { maxLifeMs } } = this.#context;
    if (!Number.isFinite(maxLifeMs)) return;
    const end = () => connection.end(CloseCode.goingAway, "maximum connection age reached");
    connection.onEnd(clock.after(maxLifeMs, end));
  }

  ended(connection: Connection, { byServer }: ConnectionEnd): void {
    this.#open.delete(connection);
    if (byServer) this.#lingering.add(connection);
  }

  released(connection: Connection): void {
    this.#lingering.delete(connection);
    if (this.#lingering.size === 0) this.#onReleased?.();
  }

  unhandled({ id }: Connection, { type }: UnhandledMessageError): void {
    this.#unhandled++;
    if (this.#unhandledTypes.has(type) || this.#unhandledTypes.size >= MAX_UNHANDLED_TYPES) return;
    this.#unhandledTypes.add(type);
    const fields = { connection: id, type };
    this.#context.log.warn("Dropped a layer message: no handler for its type", fields);
  }

  /** Ends all connections, and those of `undecided` requests, over a window. */
  async runDrain(windowMs: number, undecided: readonly Connection[]): Promise<void> {
    this.drain ??= new Drain(this.#context.clock, this.#random);
    await this.drain.run([...this.#open, ...undecided], windowMs);
    this.endAll(CloseCode.restart, "retry=0");
    await this.#released();
  }

  /** Ends all connections and returns their number. */
  endAll(code: number, reason: string): number {
    const all = [...this.#open];
    for (const connection of all) connection.end(code, reason);
    return all.length;
  }

  /** Waits until all peers have closed their network connections, for a limited time. */
  #released(): Promise<void> {
    if (this.#lingering.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onReleased = resolve;
      this.#context.clock.after(LINGER_MS, resolve);
    });
  }
}
