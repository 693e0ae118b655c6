import { setTimeout } from "node:timers/promises";
import type { CommittedEvents, ControlLog, ControlPage } from "./control_log.ts";
import { KvConnection, type KvSource } from "../../kv/kv_connection.ts";
import type { SessionEvent } from "../session.ts";

const HEAD_KEY: Deno.KvKey = ["control_head"];

/** The shortest time that an entry is kept, in milliseconds. */
const KEEP_MS = 3_600_000;

/** Most events in one page. */
const PAGE_SIZE = 500;

/** Most attempts of a write that conflicts with other processes. */
const MAX_CONFLICTS = 50;

/** Limit for one read, in milliseconds. */
const READ_TIMEOUT_MS = 600;

/**
 * A control log in Deno KV: `["control_head"]` counts the entries, `["control_log", n]` is one.
 *
 * An entry is written in the same atomic operation as the change that it describes, see
 * {@linkcode KvControlLog.commit}: there is no change without an entry, and no entry without a
 * change. Writes of one process run one after the other; writes that conflict with other processes
 * are retried.
 *
 * @example
 * ```ts
 * import { KvControlLog } from "@sluice/sluice/sessions";
 * import assert from "node:assert/strict";
 *
 * using kv = await Deno.openKv(":memory:");
 * const log = new KvControlLog(kv);
 * const { position } = await log.read(undefined);
 * await log.append({ type: "user-changed", userId: "ada" });
 * const page = await log.read(position);
 * assert.deepEqual(page.events, [{ type: "user-changed", userId: "ada" }]);
 * ```
 */
export class KvControlLog implements ControlLog {
  readonly #kv: KvConnection;
  readonly #reading: KvConnection;
  readonly #listeners = new Set<(committed: CommittedEvents) => void>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param source The database, or a function that opens it at first use. */
  constructor(source: KvSource) {
    this.#kv = new KvConnection(source);
    this.#reading = new KvConnection(source, { timeoutMs: READ_TIMEOUT_MS });
  }

  read(after: number | undefined): Promise<ControlPage> {
    return this.#reading.run(async (kv) => {
      const head = (await kv.get<number>(HEAD_KEY)).value ?? 0;
      if (after === head) return { events: [], position: head, hasMore: false, isComplete: true };
      if (after === undefined || after > head) {
        return { events: [], position: head, hasMore: false, isComplete: false };
      }
      return await readPage(kv, after, head);
    });
  }

  append(event: SessionEvent): Promise<void> {
    return this.#kv.run((kv) =>
      this.commit(kv, () => Promise.resolve({ operation: kv.atomic(), events: [event] }))
    );
  }

  onCommit(listener: (committed: CommittedEvents) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Plans a change, and commits it together with its events.
   *
   * `plan` is called again after a conflict; if it returns undefined, nothing is written. It may
   * use at most nine checks.
   *
   * @throws {Error} 50 attempts conflicted with other writes.
   */
  commit(kv: Deno.Kv, plan: () => Promise<ControlledChange | undefined>): Promise<void> {
    const run = this.#last.then(() => this.#commit(kv, plan));
    this.#last = run.catch(() => {});
    return run;
  }

  async #commit(
    kv: Deno.Kv,
    plan: () => Promise<ControlledChange | undefined>,
  ): Promise<void> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt++) {
      // Read before the plan, so that the plan's reads are no older than the checked version.
      const head = await kv.get<number>(HEAD_KEY);
      const change = await plan();
      if (change === undefined) return;
      const { operation, events } = change;
      const position = (head.value ?? 0) + events.length;
      operation.check(head).set(HEAD_KEY, position);
      events.forEach((event, index) => {
        const key = entryKey(position - events.length + 1 + index);
        operation.set(key, event, { expireIn: KEEP_MS });
      });
      const committed = { events, position };
      if (await commitOf(operation, kv, committed)) return this.#tell(committed);
      await setTimeout(Math.random() * Math.min(64, 2 ** attempt));
    }
    throw new Error(
      `Cannot change a session: ${MAX_CONFLICTS} attempts conflicted with other writes`,
    );
  }

  #tell(committed: CommittedEvents): void {
    for (const listener of this.#listeners) listener(committed);
  }
}

/** A change and its events. */
export interface ControlledChange {
  readonly operation: Deno.AtomicOperation;
  readonly events: readonly SessionEvent[];
}

/**
 * Commits a change. If the response is lost, reads the log to find out whether the commit
 * succeeded.
 */
async function commitOf(
  operation: Deno.AtomicOperation,
  kv: Deno.Kv,
  { position, events }: CommittedEvents,
): Promise<boolean> {
  try {
    return (await operation.commit()).ok;
  } catch (error) {
    const last = events.at(-1);
    if (last === undefined) throw error;
    const { value } = await kv.get<SessionEvent>(entryKey(position));
    if (JSON.stringify(value) === JSON.stringify(last)) return true;
    throw error;
  }
}

async function readPage(kv: Deno.Kv, after: number, head: number): Promise<ControlPage> {
  const until = Math.min(head, after + PAGE_SIZE);
  const range = { start: entryKey(after + 1), end: entryKey(until + 1) };
  const events: SessionEvent[] = [];
  for await (const entry of kv.list<SessionEvent>(range)) events.push(entry.value);
  const isComplete = events.length === until - after;
  // After a gap, skip to the end: the follower checks everything anyway.
  return isComplete
    ? { events, position: until, hasMore: until < head, isComplete }
    : { events, position: head, hasMore: false, isComplete };
}

function entryKey(position: number): Deno.KvKey {
  return ["control_log", position];
}
