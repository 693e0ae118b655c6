import type { Clock } from "../../core/clock.ts";
import type { Freshness } from "../../core/freshness.ts";
import type { Log } from "../../core/log.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { ConnectionRegistry, Follower } from "../connections/connection_registry.ts";
import { KvControlLog } from "../revocation/kv_control_log.ts";
import { LogPoller, type LogPollerTarget } from "../revocation/log_poller.ts";
import type { GroupLayer } from "../revocation/revocation_broadcast.ts";
import type { SessionEvent } from "../session.ts";
import { EndBroadcast, type EndTarget } from "./end_broadcast.ts";
import { type EndMessage, readEndMessage } from "./end_message.ts";
import { type EndedKeys, USER_END_MS } from "./ended_sessions.ts";
import { RetriedWork } from "./retried_work.ts";

/** The parts of {@linkcode ExternalEnds}. */
export interface ExternalEndsParts {
  readonly connections: ConnectionRegistry;
  readonly kv: KeyValue | undefined;
  readonly layer: GroupLayer | undefined;
  readonly name: string;
  readonly recheckMs: number;
  readonly keyOf: EndedKeys;
  readonly clock: Clock;
  readonly log: Log;
  /** Applies an end in this process. */
  readonly apply: (message: EndMessage) => void;
}

/**
 * Passes ends of sessions on to the other processes, and receives theirs: over the channel layer, for
 * speed, and through a log in the database, which misses nothing. What cannot be passed on is repeated
 * every second.
 *
 * It also checks all sessions from time to time, and whenever the layer or the log reports that messages
 * may have been missed.
 */
export class ExternalEnds implements LogPollerTarget, EndTarget, Follower {
  readonly #parts: ExternalEndsParts;
  readonly #log: KvControlLog | undefined;
  readonly #poller: LogPoller | undefined;
  readonly #broadcast: EndBroadcast | undefined;
  readonly #storing: RetriedWork;
  readonly #sending: RetriedWork;
  readonly #close: (() => void)[] = [];
  #cancel: (() => void) | undefined;
  #checks = 0;
  #check = Promise.resolve();
  #nextCheck: Promise<void> | undefined;

  /** Connects to nothing before there are connections, or {@linkcode join} is called. */
  constructor(parts: ExternalEndsParts) {
    this.#parts = parts;
    const { connections, kv, layer, name, clock, log } = parts;
    this.#storing = new RetriedWork(parts);
    this.#sending = new RetriedWork(parts);
    this.#close.push(connections.followWith(this));
    if (layer !== undefined) {
      const group = `sluice.ended.${name}`;
      this.#broadcast = new EndBroadcast(layer, { group, target: this, clock, log });
    }
    if (kv === undefined) return;
    this.#log = new KvControlLog(kv, [name]);
    this.#poller = new LogPoller(this.#log, this, parts);
    this.#close.push(connections.followWith(this.#poller));
  }

  /** Tells whether the ends of other processes are applied; set with a database. */
  get freshness(): Freshness | undefined {
    return this.#poller;
  }

  /** How often all sessions were checked. A handshake in between must look again. */
  get checks(): number {
    return this.#checks;
  }

  /** Starts to receive messages of the layer. Never rejects. */
  async join(): Promise<void> {
    await this.#broadcast?.join();
  }

  /**
   * Passes an end on. Returns whether it is certain to reach every process: the database has it, or,
   * without one, the layer has sent it.
   */
  async pass(message: EndMessage, keepMs: number): Promise<boolean> {
    const key = message.type === "ended" ? `s ${message.sessionId}` : `u ${message.userId}`;
    const broadcast = this.#broadcast;
    const [stored, sent] = await Promise.all([
      this.#log && this.#storing.run(key, () => this.#store(message, keepMs)),
      broadcast && this.#sending.run(key, () => broadcast.send(message)),
    ]);
    return stored ?? sent ?? true;
  }

  /** Applies an end of another process. */
  apply(event: EndMessage | SessionEvent): void {
    const message = readEndMessage(event);
    if (message !== undefined) this.#parts.apply(message);
  }

  /** Checks all sessions. During a check, it waits for the next one. Never rejects. */
  revalidate(): Promise<void> {
    this.#checks++;
    return this.#nextCheck ??= this.#check.then(() => {
      this.#nextCheck = undefined;
      return this.#check = this.#checkAll();
    });
  }

  /** Starts the regular checks. */
  start(): void {
    this.#cancel ??= this.#parts.clock.after(this.#parts.recheckMs, () => {
      this.#cancel = undefined;
      void this.#recheck().catch(() => {}); // It never rejects.
    });
  }

  /** Stops the regular checks. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Stops everything. */
  close(): void {
    for (const close of this.#close) close();
    this.#broadcast?.leave();
    this.#storing.close();
    this.#sending.close();
  }

  async #checkAll(): Promise<void> {
    try {
      await this.#parts.connections.revalidate();
    } catch (error) {
      this.#parts.log.warn("sessions could not be checked", { error });
    }
  }

  async #recheck(): Promise<void> {
    await this.revalidate();
    if (!this.#parts.connections.sessionIds().next().done) this.start();
  }

  /** Stores an end and its entry in the log, both or neither; repeated ends are not stored again. */
  #store(message: EndMessage, keepMs: number): Promise<void> {
    const { kv, keyOf, clock } = this.#parts;
    return this.#log!.commit("store the end of a session", async () => {
      const operation = kv!.atomic();
      if (message.type === "user-ended") {
        operation.set(keyOf("user", message.userId), true, { expireInMs: USER_END_MS });
        return { result: undefined, operation, event: message };
      }
      const key = keyOf("session", message.sessionId);
      const { value = 0 } = await kv!.get<number>(key);
      const expireInMs = Math.max(1, message.until - clock.now());
      if (value >= message.until - keepMs / 2) return { result: undefined };
      operation.set(key, message.until, { expireInMs });
      return { result: undefined, operation, event: message };
    });
  }
}
