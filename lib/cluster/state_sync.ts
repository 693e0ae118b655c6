import type { Clock } from "../core/clock.ts";
import type { LayerMessage } from "../core/consumer.ts";
import type { Log } from "../core/log.ts";
import { type Changes, parseSyncMessage, type SyncMessage } from "./sync_message.ts";
import { Peers } from "./peers.ts";
import { ProcessGroup, type ProcessLayer } from "./process_group.ts";
import { Announcer } from "./announcer.ts";

/** Dependencies and settings of a {@linkcode StateSync}. */
export interface StateSyncContext<C> {
  readonly layer: ProcessLayer;
  readonly clock: Clock;
  readonly log?: Pick<Log, "warn"> | undefined;
  /** The group for messages between processes, and the type of these messages. */
  readonly group: string;
  readonly type: string;
  readonly changes: Changes<C>;
  /** Interval between the heartbeats of a process, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long a process may be silent before it is dropped, in milliseconds. */
  readonly timeoutMs: number;
  /** How long the entries of a process are kept after its goodbye, in milliseconds. */
  readonly goodbyeMs: number;
  /** How long {@linkcode StateSync.ready} waits for the states of other processes, in milliseconds. */
  readonly syncTimeoutMs: number;
  /** Returns the whole state of this process. */
  state(): readonly C[];
  /** Called when another process changes one of its entries. */
  change(process: string, change: C): void;
}

/**
 * Replicates a table over all processes. Each process owns some of the entries.
 *
 * Each process announces its changes, and sends a heartbeat with the version of its state every
 * `heartbeatMs`; a process that missed a change asks for the whole state. Each process drops the others that
 * were silent for `timeoutMs`. After a process was suspended or cut off, it gives all others that time
 * again before it drops any.
 *
 * Every call of the layer has a time limit of 3 s, so a hanging call delays a heartbeat by 3 s at most.
 * A message or an entry that cannot be read or sent is dropped and counted without affecting others;
 * the first one is logged.
 */
export class StateSync<C> {
  readonly #context: StateSyncContext<C>;
  readonly #group: ProcessGroup;
  readonly #peers: Peers<C>;
  readonly #teller: Announcer<C>;
  #started: Promise<void> | undefined;
  #catchingUp: Promise<void> | undefined;
  #isCutOff = false;
  #lastHeartbeatAt = 0;
  #cancelHeartbeat: (() => void) | undefined;
  #isClosed = false;
  #dropped = 0;
  /** Called at each message while {@linkcode ready} waits for states. */
  #heard: (() => void) | undefined;

  constructor(context: StateSyncContext<C>) {
    const { layer, group, type, clock, changes } = context;
    this.#context = context;
    this.#group = new ProcessGroup(layer, { group, type, clock });
    this.#teller = new Announcer({
      group: this.#group,
      changes,
      state: () => context.state(),
      refused: (error) => this.#drop("cannot be sent", error),
    });
    this.#peers = new Peers({
      ...context,
      ask: (process) => void this.#ask(process).catch(() => {}),
    });
  }

  /** The number of other processes. */
  get processes(): number {
    return this.#peers.size;
  }

  /** The number of messages and entries that were dropped because they could not be read or sent. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when the states of the others are known, or the time for that has passed. Never rejects. */
  ready(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return this.#started ??= this.#start();
  }

  /** Announces changes of this process. Resolves when that succeeded or failed. Never rejects. */
  announce(...changes: readonly C[]): Promise<void> {
    return this.#teller.announce(...changes);
  }

  /** Says goodbye. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelHeartbeat?.();
    this.#teller.close();
    this.#peers.close();
    this.#heard?.();
    if (this.#group.isMember) {
      await this.#group.sendAll({ kind: "bye", from: this.#group.channel }).catch(() => {});
    }
    this.#group.leave();
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    this.#lastHeartbeatAt = this.#context.clock.elapsed();
    this.#scheduleHeartbeat(0);
    try {
      await this.#group.join({
        deliver: (message) => this.#take(message),
        gap: () => void this.#catchUp().catch(() => {}),
      });
      await this.#hearFrom(await this.#askAll());
    } catch {
      // The next beat tries again; until then only the state of this process is known.
      this.#isCutOff = true;
    }
  }

  /** Waits for the states of `count` processes; for the whole time limit if the count is unknown. */
  async #hearFrom(count: number | undefined): Promise<void> {
    if (count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#context.clock.after(this.#context.syncTimeoutMs, resolve);
    this.#heard = () => {
      if (this.#isClosed || (count !== undefined && this.#peers.known >= count)) resolve();
    };
    this.#heard();
    await promise;
    this.#heard = undefined;
    cancel();
  }

  /** @param spentMs How long the last heartbeat took; subtracted from the pause. */
  #scheduleHeartbeat(spentMs: number): void {
    const { clock, heartbeatMs } = this.#context;
    // Random, so that processes do not all send at the same time.
    const pause = heartbeatMs * (0.9 + Math.random() * 0.2) - spentMs;
    this.#cancelHeartbeat = clock.after(Math.max(0, pause), () => void this.#sendHeartbeat());
  }

  /** Never rejects. */
  async #sendHeartbeat(): Promise<void> {
    const { clock, heartbeatMs } = this.#context;
    const now = clock.elapsed();
    // A timer this late means that this process was suspended, not the others.
    if (now - this.#lastHeartbeatAt > 2 * heartbeatMs) this.#peers.resetTimeouts();
    this.#lastHeartbeatAt = now;
    try {
      if (!this.#group.isMember) await this.#group.rejoin();
      const { channel: from } = this.#group;
      await this.#sendAll({ kind: "beat", from, version: this.#teller.version });
      if (this.#isCutOff) await this.#catchUp();
      this.#isCutOff = false;
      // With the time before the calls: this process may have been suspended during them.
      this.#peers.dropSilent(now);
    } catch {
      this.#isCutOff = true;
    }
    if (!this.#isClosed) this.#scheduleHeartbeat(clock.elapsed() - now);
  }

  /** Asks for all states after messages may have been missed. Overlapping calls share one request. */
  #catchUp(): Promise<void> {
    this.#peers.resetTimeouts();
    return this.#catchingUp ??= this.#askAll().then(() => {}).finally(() => {
      this.#catchingUp = undefined;
    });
  }

  #take(message: LayerMessage): boolean {
    const { type, changes } = this.#context;
    try {
      const heard = parseSyncMessage<C>(message, type, {
        parse: changes.parse,
        malformed: () => this.#drop("cannot be read"),
      });
      if (heard === undefined) this.#drop("cannot be read");
      else if (heard.from !== this.#group.channel) this.#hear(heard);
    } catch (error) {
      this.#drop("cannot be read", error);
    }
    return true;
  }

  #hear(heard: SyncMessage<C>): void {
    if (this.#isClosed) return;
    if (heard.kind === "ask") {
      this.#peers.recordHeartbeat(heard.from);
      void this.#teller.answer(heard.from);
    } else this.#peers.take(heard);
    this.#heard?.();
  }

  /** Counts a dropped message or entry, and logs the first. */
  #drop(why: string, error?: unknown): void {
    const { log, group } = this.#context;
    if (this.#dropped++ === 0) {
      log?.warn("A message between processes, or part of it, was dropped", { group, why, error });
    }
  }

  /** Returns how many processes were asked, if known. */
  #askAll(): Promise<number | undefined> {
    return this.#sendAll({ kind: "ask", from: this.#group.channel });
  }

  #ask(process: string): Promise<void> {
    return this.#group.sendTo(process, { kind: "ask", from: this.#group.channel });
  }

  #sendAll(message: SyncMessage<C>): Promise<number | undefined> {
    return this.#group.sendAll(message);
  }
}
