import { Buffer } from "node:buffer";
import { setTimeout } from "node:timers/promises";
import { systemClock } from "../../core/clock.ts";
import type { CheckedMessage } from "../stored_message.ts";
import { storeUnavailable } from "../stream_error.ts";
import type { Appended } from "../stream_store.ts";
import {
  firstShown,
  type KvHead,
  type KvKept,
  type KvStream,
  type KvVersionedHead,
} from "./kv_stream.ts";
import { mustTrim, trimStep } from "./kv_trim.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";

/** An append that waits for its commit. */
export interface PendingAppend {
  readonly checked: CheckedMessage;
  readonly key: string | undefined;
  readonly reply: unknown;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** Largest number of appends, and of their bytes, in one operation. */
const MAX_BATCH = 64;
const MAX_BATCH_BYTES = 400_000;

/** Keys that one read returns at one moment. */
const KEYS_PER_READ = 10;

/** How long an operation is tried again while other processes write to the stream, in milliseconds. */
const CONTENTION_MS = 5_000;

/**
 * Appends to one stream. Appends that arrive during a commit are committed together by the next one.
 *
 * A commit checks the version of the head, which every append changes. So offsets have no holes, and a
 * key that was absent when it was read is still absent if the commit succeeds.
 */
export class KvWriter {
  readonly #stream: KvStream;
  #pending: PendingAppend[] = [];
  #isRunning = false;
  /** The head after the last commit; another process may have changed it. */
  #known: KvVersionedHead | undefined;

  constructor(stream: KvStream) {
    this.#stream = stream;
  }

  /** Whether appends are waiting. */
  get isBusy(): boolean {
    return this.#isRunning;
  }

  append(append: Omit<PendingAppend, "resolve" | "reject">): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ ...append, resolve, reject });
      if (!this.#isRunning) void this.#commitPending();
    });
  }

  /** Commits all pending appends, each of which has its own promise. Never rejects. */
  async #commitPending(): Promise<void> {
    this.#isRunning = true;
    await undefined; // Collects the appends of this turn.
    while (this.#pending.length > 0) {
      const batch = this.#take();
      try {
        await this.#commit(batch);
      } catch (error) {
        this.#known = undefined;
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isRunning = false;
  }

  #take(): PendingAppend[] {
    let bytes = 0;
    const end = this.#pending.findIndex(({ checked }, index) => {
      bytes += checked.bytes;
      return index === MAX_BATCH || (index > 0 && bytes > MAX_BATCH_BYTES);
    });
    return this.#pending.splice(0, end < 0 ? this.#pending.length : end);
  }

  async #commit(batch: readonly PendingAppend[]): Promise<void> {
    const until = systemClock.elapsed() + CONTENTION_MS;
    for (let tries = 0; systemClock.elapsed() < until; tries++) {
      if (await this.#attempt(batch)) return;
      this.#known = undefined;
      // Not a timer of the clock: those do not keep the process alive.
      if (tries > 0) await setTimeout(Math.random() * retryPauseMs(tries, { minMs: 1, maxMs: 64 }));
    }
    throw storeUnavailable();
  }

  async #attempt(batch: readonly PendingAppend[]): Promise<boolean> {
    const known = this.#known ??= await this.#stream.head();
    const repeated = await this.#findKeys(batch);
    const plan = this.#plan(batch, known.head, repeated);
    if (plan.messages.length > 0 && !await this.#write(plan, known)) return false;
    for (const [append, appended] of plan.outcomes) append.resolve(appended);
    return true;
  }

  /** Reads the keys of a batch, after the head. */
  async #findKeys(batch: readonly PendingAppend[]): Promise<Map<string, Appended>> {
    const keys = [...new Set(batch.flatMap(({ key }) => key === undefined ? [] : [key]))];
    const found = new Map<string, Appended>();
    for (let from = 0; from < keys.length; from += KEYS_PER_READ) {
      const some = keys.slice(from, from + KEYS_PER_READ);
      const entries = await this.#stream.kv.getMany<KvKept>(
        some.map((key) => this.#stream.keyOf(key)),
      );
      entries.forEach(({ value }, index) => {
        const appended = this.#stream.toAppended(value);
        if (appended !== undefined) found.set(some[index]!, appended);
      });
    }
    return found;
  }

  #plan(
    batch: readonly PendingAppend[],
    head: KvHead,
    repeated: Map<string, Appended>,
  ): AppendPlan {
    const { epoch } = head;
    let { offset, total } = head;
    const messages: PlannedMessage[] = [];
    const outcomes = new Map<PendingAppend, Appended>();
    for (const append of batch) {
      const { checked, key, reply } = append;
      const known = key === undefined ? undefined : repeated.get(key);
      if (known !== undefined) {
        outcomes.set(append, known);
        continue;
      }
      const appended = { epoch, offset: ++offset, isRepeated: false, reply };
      messages.push({ offset, total: total += checked.bytes, checked, key, reply });
      outcomes.set(append, appended);
      if (key !== undefined) repeated.set(key, { ...appended, isRepeated: true });
    }
    return { messages, outcomes, offset, total };
  }

  async #write(plan: AppendPlan, { head, version }: KvVersionedHead): Promise<boolean> {
    const stream = this.#stream;
    const at = stream.settings.clock.now();
    let next: KvHead = { ...head, offset: plan.offset, total: plan.total };
    if (head.first > head.offset) {
      next = { ...next, first: head.offset + 1, base: head.total, firstAt: at };
    }
    let removed: readonly number[] = [];
    if (mustTrim(stream, next) && head.first <= head.offset) {
      const step = await trimStep(stream, next, { stored: head });
      const isEmpty = step.head.first > head.offset;
      next = isEmpty ? { ...step.head, firstAt: at } : step.head;
      removed = step.removed;
    }
    next = { ...next, shown: firstShown(next, stream.settings) };
    const key = stream.headKey;
    const operation = stream.kv.atomic().check({ key, version }).set(key, next, stream.headExpiry);
    for (const offset of removed) operation.delete(stream.messageKey(next, offset));
    for (const message of plan.messages) this.#add(operation, next, at, message);
    const commit = await operation.commit({ home: head.home });
    if (!commit.ok) return false;
    this.#known = { head: next, version: commit.version };
    return true;
  }

  #add(
    operation: ReturnType<KvStream["kv"]["atomic"]>,
    head: KvHead,
    at: number,
    { offset, total, checked, key, reply }: PlannedMessage,
  ): void {
    const stream = this.#stream;
    const stored = { text: Buffer.from(checked.text), at, total };
    operation.set(stream.messageKey(head, offset), stored, stream.messageExpiry);
    if (key === undefined) return;
    const { keyWindowMs } = stream.settings;
    const kept: KvKept = { epoch: head.epoch, offset, reply, expiresAt: at + keyWindowMs };
    operation.set(stream.keyOf(key), kept, { expireInMs: keyWindowMs });
  }
}

/** A message with its place in the stream. */
interface PlannedMessage extends Pick<PendingAppend, "checked" | "key" | "reply"> {
  readonly offset: number;
  readonly total: number;
}

/** What one operation appends. */
interface AppendPlan {
  readonly messages: readonly PlannedMessage[];
  readonly outcomes: ReadonlyMap<PendingAppend, Appended>;
  readonly offset: number;
  readonly total: number;
}
