import { type Clock, systemClock } from "../../core/clock.ts";
import { consoleLog } from "../../core/log.ts";
import type { Log } from "../../core/log.ts";
import { type AtomicOperation, type KeyValue, listAll } from "../../kv/mod.ts";
import type { ConnectionRegistry } from "./connection_registry.ts";
import type { Sessions } from "../sessions.ts";
import { randomId } from "../tokens/secrets.ts";

/** Delay before a changed count is written, in milliseconds. */
const WRITE_MS = 500;

/** Heartbeat interval of a process that has sockets, in milliseconds. */
const BEAT_MS = 5_000;

/** Silence after which a process is ignored, in milliseconds. */
const SILENT_MS = 20_000;

/** How long a count is kept after its last write, in milliseconds. */
const KEEP_MS = 86_400_000;

/** Counts in one write. */
const BATCH_SIZE = 100;

/** Most heartbeats under earlier names that are removed; older ones have expired. */
const MAX_SIGNS = 20;

/** Options of {@linkcode KvSocketCounts}. */
export interface SocketCountsOptions {
  /** The `connections` of the sessions. */
  readonly connections: Sessions["connections"];
  /** Receives warnings. @default {consoleLog} */
  readonly log?: Log | undefined;
  /** Times writes and heartbeats. @default {systemClock} */
  readonly clock?: Clock | undefined;
}

/**
 * Counts the open sockets of each session over all processes, for display.
 *
 * Each process writes its changed counts half a second later, many in one write, and a heartbeat
 * every five seconds while it has sockets: an idle socket costs nothing. The counts of a process
 * that crashed are ignored after 20 s.
 *
 * A failed write may have succeeded anyway, or may still take effect later. The process then
 * continues under a new name, and its counts under the old name are ignored.
 *
 * `["session_sockets", sessionId, process]` is a count, `["socket_processes", process]` a
 * heartbeat.
 *
 * @internal
 */
export class KvSocketCounts implements AsyncDisposable {
  readonly #kv: KeyValue;
  readonly #connections: ConnectionRegistry;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #id = randomId();
  /** Names under which a heartbeat may have been written. */
  readonly #signs = new Set<string>();
  readonly #written = new Map<string, number>();
  #failures = 0;
  /** In elapsed milliseconds. */
  #beatAt = -Infinity;
  #writing: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isWanted = false;
  #isClosed = false;

  /**
   * Creates a counter, which writes at the first socket.
   *
   * @param kv The database.
   */
  constructor(kv: KeyValue, options: SocketCountsOptions) {
    this.#kv = kv;
    this.#connections = options.connections;
    this.#log = options.log ?? consoleLog;
    this.#clock = options.clock ?? systemClock;
  }

  /** Returns the open sockets of sessions: current for this process, as last written for others. */
  async count(sessionIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const perSession = await Promise.all(sessionIds.map((id) => {
      return Array.fromAsync(listAll<number>(this.#kv, { prefix: [COUNTS, id] }));
    }));
    const counts = perSession.flat().filter(({ key }) => !this.#isOwn(String(key[2])));
    const living = await this.#living(new Set(counts.map(({ key }) => String(key[2]))));
    const others = counts.filter(({ key }) => living.has(String(key[2])));
    const sums = new Map(sessionIds.map((id) => [id, this.#connections.count(id)]));
    for (const { key, value } of others) {
      const id = String(key[1]);
      sums.set(id, (sums.get(id) ?? 0) + value);
    }
    return sums;
  }

  /** Called by the connections. Do not call. */
  start(): void {
    this.#isWanted = true;
    this.#arm();
  }

  /** Called by the connections. Do not call. */
  stop(): void {
    this.#isWanted = false; // Remaining changes are written once more.
  }

  /** Removes this process's counts and stops writing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#writing;
    const ids = [...this.#written.keys()];
    this.#written.clear();
    for (let at = 0; at < ids.length; at += BATCH_SIZE) {
      const none = ids.slice(at, at + BATCH_SIZE).map((id): [string, number] => [id, 0]);
      await this.#operation(none).commit();
    }
    if (this.#signs.size > 0) await this.#withoutSigns().commit();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The name under which this process writes. */
  get #process(): string {
    return `${this.#id}.${this.#failures}`;
  }

  #isOwn(process: string): boolean {
    return process.startsWith(`${this.#id}.`);
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#cancel ??= this.#clock.after(WRITE_MS, () => {
      this.#writing = this.#write();
    });
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    try {
      await this.#writeCounts();
      await this.#beat();
    } catch (error) {
      this.#log.debug("socket counts could not be written", { error });
      this.#startAnew();
    }
    this.#cancel = undefined;
    if (this.#isWanted || this.#written.size > 0) this.#arm();
  }

  async #writeCounts(): Promise<void> {
    const ids = [...new Set([...this.#connections.sessionIds(), ...this.#written.keys()])];
    const counts = ids.map((id): [string, number] => [id, this.#connections.count(id)])
      .filter(([id, count]) => count !== (this.#written.get(id) ?? 0));
    for (let at = 0; at < counts.length; at += BATCH_SIZE) {
      const batch = counts.slice(at, at + BATCH_SIZE);
      await this.#operation(batch).commit();
      for (const [id, count] of batch) {
        if (count === 0) this.#written.delete(id);
        else this.#written.set(id, count);
      }
    }
  }

  #operation(counts: readonly [string, number][]): AtomicOperation {
    const operation = this.#kv.atomic();
    for (const [id, count] of counts) {
      const key = [COUNTS, id, this.#process];
      if (count === 0) operation.delete(key);
      else operation.set(key, count, { expireInMs: KEEP_MS });
    }
    return operation;
  }

  /** Continues under a new name, because the state under the old one is unknown. */
  #startAnew(): void {
    this.#failures++;
    this.#written.clear();
    this.#beatAt = -Infinity;
  }

  async #beat(): Promise<void> {
    const elapsed = this.#clock.elapsed();
    if (this.#written.size === 0 || elapsed - this.#beatAt < BEAT_MS) return;
    const name = this.#process;
    const beat = this.#withoutSigns();
    this.#signs.add(name);
    await beat.set([PROCESSES, name], this.#clock.now(), { expireInMs: SILENT_MS }).commit();
    for (const sign of this.#signs) if (sign !== name) this.#signs.delete(sign);
    this.#beatAt = elapsed;
  }

  /** Removes the heartbeats under all names. */
  #withoutSigns(): AtomicOperation {
    const operation = this.#kv.atomic();
    for (const sign of [...this.#signs].slice(-MAX_SIGNS)) operation.delete([PROCESSES, sign]);
    return operation;
  }

  async #living(processes: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const now = this.#clock.now();
    const keys = [...processes].map((process) => [PROCESSES, process]);
    const beats = await this.#kv.getMany<number>(keys);
    // A heartbeat from the future was written before the clock was set back.
    const isLiving = (at: number | undefined) => at !== undefined && Math.abs(now - at) < SILENT_MS;
    return new Set(beats.filter(({ value }) => isLiving(value)).map(({ key }) => String(key[1])));
  }
}

const COUNTS = "session_sockets";
const PROCESSES = "socket_processes";
