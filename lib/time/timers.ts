/**
 * One timer for many waiting things: {@linkcode TimeoutList} if all wait equally long and nearly all
 * are removed before, {@linkcode TimerHeap} if each has a time of its own.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";

/**
 * Calls back for each item that is still present after a fixed time. One timer serves all items, as
 * nearly all are removed long before; it stops when no item is left.
 *
 * Items expire in the order they were added. A callback may be late by up to a quarter of the time.
 */
export class TimeoutList<T> {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #callback: (item: T) => void;
  readonly #since = new Map<T, number>();
  #isWaiting = false;

  constructor(clock: Clock, ms: number, callback: (item: T) => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#callback = callback;
  }

  /** The remaining items, oldest first. */
  [Symbol.iterator](): Iterator<T> {
    return this.#since.keys();
  }

  add(item: T): void {
    this.#since.set(item, this.#clock.elapsed());
    if (!this.#isWaiting) this.#wait(this.#ms);
  }

  delete(item: T): void {
    this.#since.delete(item);
  }

  #wait(ms: number): void {
    this.#isWaiting = true;
    this.#clock.after(ms, () => this.#check());
  }

  #check(): void {
    const now = this.#clock.elapsed();
    this.#isWaiting = false;
    for (const [item, since] of this.#since) {
      const left = since + this.#ms - now;
      // Waits a minimum time, so that a busy server checks only now and then.
      if (left > 0) return this.#wait(Math.max(left, this.#ms / 4));
      this.#since.delete(item);
      this.#callback(item);
    }
  }
}

/** An item and the time it is due. */
interface Deadline<T> {
  readonly at: number;
  readonly item: T;
}

/**
 * Calls back for each item when it is due, with one timer for all of them.
 *
 * A binary heap: adding costs O(log n). Items cannot be removed one by one; the owner ignores
 * obsolete ones, and {@linkcode compact} drops them.
 */
export class TimerHeap<T> {
  readonly #clock: Clock;
  readonly #due: (item: T) => void;
  #heap: Deadline<T>[] = [];
  #cancel: (() => void) | undefined;
  #timerAt = Infinity;

  constructor(clock: Clock, due: (item: T) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** The number of pending items, obsolete ones included. */
  get size(): number {
    return this.#heap.length;
  }

  /** Adds `item`, due at `at`, in milliseconds since the epoch. */
  add(item: T, at: number): void {
    this.#heap.push({ at, item });
    this.#rise(this.#heap.length - 1);
    this.#arm();
  }

  /** Drops the items for which `keep` returns false. O(n). */
  compact(keep: (item: T, at: number) => boolean): void {
    this.#heap = this.#heap.filter(({ item, at }) => keep(item, at));
    this.#heap.sort((a, b) => a.at - b.at);
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || first.at >= this.#timerAt) return;
    this.#cancel?.();
    this.#timerAt = first.at;
    const wait = Math.max(0, first.at - this.#clock.now());
    this.#cancel = this.#clock.after(wait, () => this.#fire());
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#timerAt = Infinity;
    const now = this.#clock.now();
    const due: T[] = [];
    while (this.#heap.length > 0 && this.#heap[0]!.at <= now) due.push(this.#take());
    for (const item of due) this.#due(item);
    this.#arm();
  }

  #take(): T {
    const first = this.#heap[0]!;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first.item;
  }

  #rise(index: number): void {
    const heap = this.#heap;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.at <= heap[index]!.at) return;
      [heap[parent], heap[index]] = [heap[index]!, heap[parent]!];
      index = parent;
    }
  }

  #sink(index: number): void {
    const heap = this.#heap;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < heap.length && heap[left]!.at < heap[least]!.at) least = left;
      if (right < heap.length && heap[right]!.at < heap[least]!.at) least = right;
      if (least === index) return;
      [heap[least], heap[index]] = [heap[index]!, heap[least]!];
      index = least;
    }
  }
}
