import { systemClock } from "../../core/clock.ts";
import { within } from "../../core/within.ts";
import { AppendLog, type LogHead } from "../../kv/append_log.ts";
import type { AtomicOperation, KeyValue } from "../../kv/mod.ts";
import { type PlannedChange, retryConflicts } from "../../kv/atomic_operation.ts";
import type { CommitListener, ControlLog, ControlPage } from "./control_log.ts";
import type { SessionEvent } from "../session.ts";

/** The shortest time that an entry is kept, in milliseconds. */
const KEEP_MS = 3_600_000;

/** Most events in one page. */
const PAGE_SIZE = 500;

/** Limit for one read, in milliseconds. */
const READ_TIMEOUT_MS = 600;

/** Limit for one write, in milliseconds, the wait for earlier ones included. */
const WRITE_TIMEOUT_MS = 5_000;

/**
 * A control log in a database: `["control_head"]` counts the entries, `["control_log", n]` is one.
 *
 * An entry is written in the same atomic operation as the change that it describes, see
 * {@linkcode KvControlLog.commit}: there is no change without an entry, and no entry without a
 * change. Writes of one process run one after the other; writes that conflict with other processes
 * are retried.
 *
 * @internal
 */
export class KvControlLog implements ControlLog {
  readonly #kv: KeyValue;
  readonly #entries: AppendLog<SessionEvent>;
  readonly #listeners = new Set<CommitListener>();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Creates a log over a database.
   *
   * @param kv The database, which the stores use as well.
   * @param prefix The start of its keys, which separates several logs in one database.
   */
  constructor(kv: KeyValue, prefix: readonly string[] = []) {
    this.#kv = kv;
    this.#entries = new AppendLog(kv, {
      headKey: [...prefix, "control_head"],
      prefix: [...prefix, "control_log"],
      keepMs: KEEP_MS,
      topic: [...prefix, "control_log"].join("."),
    });
  }

  read(after: number | undefined): Promise<ControlPage> {
    return within(this.#read(after), { clock: systemClock, ms: READ_TIMEOUT_MS, late });
  }

  async append(event: SessionEvent): Promise<void> {
    await this.commit("append an event", () => {
      return Promise.resolve({ result: undefined, operation: this.#kv.atomic(), event });
    });
  }

  /** @internal */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Calls `listener` soon after any process has appended an entry, as a hint to read the log. A
   * renewal causes no hint.
   */
  onAppend(listener: () => void): () => void {
    return this.#entries.onAppend(listener);
  }

  /**
   * Plans a change, and commits it together with its event.
   *
   * `plan` is called again after a conflict. It may use at most nine checks.
   *
   * @throws {Error} 50 attempts conflicted with other writes, or 5 s have passed.
   *
   * @internal
   */
  commit<T>(action: string, plan: () => Promise<ControlledChange<T>>): Promise<T> {
    const state = { isLate: false };
    const run = this.#last.then(() => this.#commit(action, plan, state));
    this.#last = run.catch(() => {});
    const limit = { clock: systemClock, ms: WRITE_TIMEOUT_MS, late };
    return within(run, limit).finally(() => state.isLate = true);
  }

  #commit<T>(
    action: string,
    plan: () => Promise<ControlledChange<T>>,
    state: { readonly isLate: boolean },
  ): Promise<T> {
    return retryConflicts(action, async () => {
      if (state.isLate) throw late(WRITE_TIMEOUT_MS);
      // Read before the plan, so that the plan's reads are no older than the checked version.
      const head = await this.#entries.head();
      const { event, ...change } = await plan();
      const { result, operation } = change;
      if (operation === undefined || event === undefined) return change;
      return { result, operation: { commit: () => this.#commitWith(operation, head, event) } };
    });
  }

  /** If the response is lost, reads the log to find out whether the commit succeeded. */
  async #commitWith(
    operation: AtomicOperation,
    head: LogHead,
    event: SessionEvent,
  ): Promise<{ ok: boolean }> {
    // A renewal can wait for the next poll; all processes would read the log for each of them.
    const isQuiet = event.type === "renewed";
    const position = this.#entries.append(operation, head, [event], { isQuiet });
    try {
      if (!(await operation.commit()).ok) return { ok: false };
    } catch (error) {
      const written = await this.#entries.get(position);
      if (JSON.stringify(written) !== JSON.stringify(event)) throw error;
    }
    for (const listener of this.#listeners) listener(event, position);
    return { ok: true };
  }

  async #read(after: number | undefined): Promise<ControlPage> {
    const { number: head } = await this.#entries.head();
    if (after === head) return { events: [], position: head, hasMore: false, isComplete: true };
    if (after === undefined || after > head) {
      return { events: [], position: head, hasMore: false, isComplete: false };
    }
    const until = Math.min(head, after + PAGE_SIZE);
    const events = (await this.#entries.read(after, until)).map(([, event]) => event);
    const isComplete = events.length === until - after;
    // After a gap, skip to the end: the follower checks everything anyway.
    return isComplete
      ? { events, position: until, hasMore: until < head, isComplete }
      : { events, position: head, hasMore: false, isComplete };
  }
}

/** A change and its event. */
export interface ControlledChange<T> extends PlannedChange<T> {
  /** The event that describes the change. Without one, nothing is appended. */
  readonly event?: SessionEvent | undefined;
}

function late(ms: number): Error {
  return new Error(`The control log did not answer within ${ms} ms`);
}
