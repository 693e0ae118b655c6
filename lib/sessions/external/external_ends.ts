import { ProcessGroup, type ProcessLayer } from "../../cluster/process_group.ts";
import type { Clock } from "../../core/clock.ts";
import type { LayerMessage } from "../../core/consumer.ts";
import type { Freshness } from "../../core/freshness.ts";
import type { Log } from "../../core/log.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { ConnectionRegistry, Follower } from "../connections/connection_registry.ts";
import { KvControlLog } from "../revocation/kv_control_log.ts";
import { LogPoller, type LogPollerTarget } from "../revocation/log_poller.ts";
import type { SessionEvent } from "../session.ts";
import { type EndMessage, readEndMessage } from "./end_message.ts";
import { type EndedKeys, USER_END_MS } from "./ended_sessions.ts";
import { RetriedWork } from "./retried_work.ts";

/** The type of the messages between processes. */
const TYPE = "sluice.ended";

/** How often an end that could not be sent is sent once the layer is back. */
const SENDINGS = 5;

/** How long to wait for the layer, in milliseconds. */
const LAYER_MS = 1_000;

/** The parts of {@linkcode ExternalEnds}. */
export interface ExternalEndsParts {
  readonly connections: ConnectionRegistry;
  readonly kv: KeyValue | undefined;
  readonly layer: ProcessLayer | undefined;
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
 *
 * *Security*: unlike those of `RevocationBroadcast`, the messages of the layer are trusted, because there
 * may be no database to confirm them. A forged one ends sockets, but admits no client.
 */
export class ExternalEnds implements LogPollerTarget, Follower {
  readonly #parts: ExternalEndsParts;
  readonly #log: KvControlLog | undefined;
  readonly #poller: LogPoller | undefined;
  readonly #group: ProcessGroup | undefined;
  readonly #storing: RetriedWork;
  readonly #sending: RetriedWork;
  readonly #close: (() => void)[] = [];
  #joining: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #checks = 0;
  #check = Promise.resolve();
  #nextCheck: Promise<void> | undefined;

  /** Connects to nothing before there are connections, or {@linkcode join} is called. */
  constructor(parts: ExternalEndsParts) {
    this.#parts = parts;
    const { connections, kv, layer, name, clock } = parts;
    this.#storing = new RetriedWork(parts);
    // Without a database, a process misses what is sent before its own connection is back.
    this.#sending = new RetriedWork(parts, kv === undefined ? SENDINGS : 1);
    this.#close.push(connections.followWith(this));
    if (layer !== undefined) {
      const group = `${TYPE}.${name}`;
      this.#group = new ProcessGroup(layer, { group, type: TYPE, clock, callTimeoutMs: LAYER_MS });
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

  /**
   * Starts to receive messages of the layer at the first call, and waits up to a second for it. Never
   * rejects: if the layer cannot be reached, it is tried again, and then all sessions are checked.
   */
  join(): Promise<void> {
    return this.#joining ??= this.#join();
  }

  /**
   * Passes an end on. Returns whether it is certain to reach every process: the database has it, or,
   * without one, the layer has sent it.
   */
  async pass(message: EndMessage, keepMs: number): Promise<boolean> {
    const key = message.type === "ended" ? `s ${message.sessionId}` : `u ${message.userId}`;
    const group = this.#group;
    const [stored, sent] = await Promise.all([
      this.#log && this.#storing.run(key, () => this.#store(message, keepMs)),
      group && this.#sending.run(key, async () => void await group.sendAll(message)),
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
    this.#group?.leave();
    this.#storing.close();
    this.#sending.close();
  }

  async #join(): Promise<void> {
    const error = await this.#group?.joinSoon({
      deliver: (message) => this.#hear(message),
      gap: () => {
        this.revalidate().catch(() => {});
      },
    });
    if (error === undefined) return;
    const { log } = this.#parts;
    log.warn("ends of sessions cannot be received over the channel layer, retrying", { error });
  }

  #hear({ type, data }: LayerMessage): boolean {
    const message = type === TYPE ? readEndMessage(data) : undefined;
    if (message !== undefined) this.#parts.apply(message);
    return true;
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
