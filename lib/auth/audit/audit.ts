import { type Clock, systemClock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { CountedLines } from "./_counted_lines.ts";
import { consoleLog } from "../../core/log.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { AuditEntry, AuditEvent } from "./audit_log.ts";
import { KvAuditStore } from "./kv_audit_store.ts";

/** Repeated refusals of one user are stored once per this time, in milliseconds. */
const ONCE_IN_MS = 60_000;

/** Most refusals remembered to detect repetitions. */
const MAX_REMEMBERED = 10_000;

/**
 * Writes security events to the log, one structured line each, and to a store, under the user they
 * are about.
 *
 * Never throws and never waits: if the database cannot be reached, the stored entry is lost but not
 * the line. Refusals and failed sign-ins can be numerous: the first of a code is logged at once,
 * and repetitions within ten seconds become one line with a `count`. Those of a known user are
 * stored once a minute per code. Refusals of unknown users are logged at `debug`.
 *
 * @example
 * ```ts
 * import { Audit } from "@sluice/sluice/auth";
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * await using kv = new MemoryKeyValue();
 * const log = { debug() {}, info() {}, warn() {}, error() {} };
 * const audit = new Audit(kv, { log });
 * audit.write({ kind: "signed-in", userId: "u1", provider: "dev" });
 * await audit.written();
 * assert.equal((await audit.list("u1"))[0]?.kind, "signed-in");
 * ```
 */
export class Audit implements AsyncDisposable {
  readonly #store: KvAuditStore;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #pending = new Set<Promise<void>>();
  readonly #seen = new Map<string, number>();
  readonly #listeners = new Set<(event: AuditEvent) => void>();
  readonly #lines: CountedLines;

  /**
   * Creates an audit log over a database.
   *
   * @param kv Keeps the entries.
   */
  constructor(kv: KeyValue, options: {
    /** How long an entry is kept, in milliseconds. @default {2_592_000_000} (30 days) */
    readonly retentionMs?: number;
    /** Receives one line for each event. @default {consoleLog} */
    readonly log?: Log;
    /** Tells the time. @default {systemClock} */
    readonly clock?: Clock;
  } = {}) {
    const { clock = systemClock, log = consoleLog } = options;
    this.#store = new KvAuditStore(kv, { ...options, clock });
    this.#log = log;
    this.#clock = clock;
    this.#lines = new CountedLines(this.#clock);
  }

  /** Calls `listener` for every event that is written. Returns a function that unsubscribes. */
  subscribe(listener: (event: AuditEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Records an event. With a `cause`, the log line has it too and is at `warn`. */
  write(event: AuditEvent, options: { cause?: string | undefined } = {}): void {
    this.#tell(event);
    const { kind, code, userId } = event;
    const isRefusal = kind === "refused" || kind === "sign-in-failed";
    const write = (count?: number) => this.#writeLine(event, { ...options, count });
    if (isRefusal) this.#lines.add(`${kind} ${code} ${userId}`, write);
    else write();
    if (userId === undefined) return;
    const entry: AuditEntry = { ...event, at: this.#clock.now() };
    if (isRefusal && this.#isRepeated(entry)) return;
    this.#wait(this.#store.add(entry));
  }

  /**
   * Records an event that several processes may notice, or one process several times: only the
   * first one under this name is written. If the database cannot be reached, none is.
   */
  writeOnce(name: string, event: AuditEvent, at: number): void {
    const adding = this.#store.add({ ...event, at }, { once: name });
    this.#wait(adding.then((isFirst) => {
      if (!isFirst) return;
      this.#tell(event);
      this.#log.info("audit", { ...event });
    }));
  }

  /** Returns the events of a user, newest first: at most 100, or `limit`. */
  list(userId: string, options?: { limit?: number }): Promise<AuditEntry[]> {
    return this.#store.list(userId, options);
  }

  /** Resolves when every event written so far is stored or has failed. */
  async written(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Writes the lines that are still being counted, then waits as {@linkcode written} does. */
  async close(): Promise<void> {
    this.#lines.flush();
    await this.written();
  }

  /** Does the same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #writeLine(
    event: AuditEvent,
    { cause, count }: { cause?: string | undefined; count?: number | undefined },
  ): void {
    const fields = { ...event, ...(cause && { cause }), ...(count && { count }) };
    if (cause) this.#log.warn("audit", fields);
    else if (event.kind === "refused" && event.userId === undefined) {
      this.#log.debug("audit", fields);
    } else this.#log.info("audit", fields);
  }

  #tell(event: AuditEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #wait(work: Promise<unknown>): void {
    const adding: Promise<void> = work
      .catch((error) => this.#log.warn("a security event could not be stored", { error }))
      .then(() => {
        this.#pending.delete(adding);
      });
    this.#pending.add(adding);
  }

  #isRepeated({ kind, userId, code, at }: AuditEntry): boolean {
    const key = `${kind} ${userId} ${code}`;
    const last = this.#seen.get(key) ?? -Infinity;
    if (at - last < ONCE_IN_MS) return true;
    if (this.#seen.size >= MAX_REMEMBERED) this.#seen.clear();
    this.#seen.set(key, at);
    return false;
  }
}
