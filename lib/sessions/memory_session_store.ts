import { type Clock, systemClock } from "../core/clock.ts";
import type { SessionRecord } from "./session_record.ts";
import { byAge, type SessionStore } from "./session_store.ts";

/** The interval between two sweeps, in milliseconds. */
const SWEEP_EVERY_MS = 60_000;

/**
 * Stores sessions in memory: for tests, or if sign-ins may end with the process.
 *
 * Sessions past `forgetAt` are removed when a new one is created, at most once a minute.
 *
 * @example
 * ```ts
 * import { MemorySessionStore } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await new MemorySessionStore().get("unknown"), undefined);
 * ```
 */
export class MemorySessionStore implements SessionStore {
  readonly #clock: Clock;
  readonly #records = new Map<string, SessionRecord>();
  readonly #byUser = new Map<string, Set<string>>();
  readonly #tagKeys = new Map<number, Uint8Array>();
  #sweepAt: number;

  /** Creates an empty store. */
  constructor(options: { clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#sweepAt = this.#clock.now() + SWEEP_EVERY_MS;
  }

  // deno-lint-ignore require-await
  async create(record: SessionRecord): Promise<void> {
    if (this.#records.has(record.id)) throw new Error("Cannot create a session: its id is taken");
    this.#sweep();
    this.#records.set(record.id, record);
    const ids = this.#byUser.get(record.userId) ?? new Set();
    this.#byUser.set(record.userId, ids.add(record.id));
  }

  get(id: string): Promise<SessionRecord | undefined> {
    return Promise.resolve(this.#records.get(id));
  }

  getMany(ids: readonly string[]): Promise<(SessionRecord | undefined)[]> {
    return Promise.all(ids.map((id) => this.get(id)));
  }

  // deno-lint-ignore require-await
  async update(
    id: string,
    change: (record: SessionRecord) => SessionRecord | undefined,
  ): Promise<SessionRecord | undefined> {
    const record = this.#records.get(id);
    const changed = record && change(record);
    if (changed) this.#records.set(id, changed);
    return changed;
  }

  delete(id: string): Promise<SessionRecord | undefined> {
    return Promise.resolve(this.#delete(id));
  }

  list(userId: string): Promise<SessionRecord[]> {
    return Promise.resolve(this.#ofUser(userId).sort(byAge));
  }

  // deno-lint-ignore require-await
  async addTagKey(
    { period, secret }: Parameters<SessionStore["addTagKey"]>[0],
  ): Promise<Uint8Array> {
    const kept = this.#tagKeys.get(period) ?? secret;
    this.#tagKeys.set(period, kept);
    return kept;
  }

  // deno-lint-ignore require-await
  async tagKeys(): ReturnType<SessionStore["tagKeys"]> {
    const keys = Array.from(this.#tagKeys, ([period, secret]) => ({ period, secret }));
    return { keys, untaggedSince: undefined };
  }

  #ofUser(userId: string): SessionRecord[] {
    const records: SessionRecord[] = [];
    for (const id of this.#byUser.get(userId) ?? []) {
      const record = this.#records.get(id);
      if (record) records.push(record);
    }
    return records;
  }

  #delete(id: string): SessionRecord | undefined {
    const record = this.#records.get(id);
    if (!record) return undefined;
    this.#records.delete(id);
    const ids = this.#byUser.get(record.userId);
    ids?.delete(id);
    if (ids?.size === 0) this.#byUser.delete(record.userId);
    return record;
  }

  #sweep(): void {
    const now = this.#clock.now();
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_EVERY_MS;
    for (const record of this.#records.values()) {
      if (record.forgetAt <= now) this.#delete(record.id);
    }
  }
}
