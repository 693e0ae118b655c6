import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { Batch } from "./batch.ts";
import { Hold } from "./hold.ts";

/** Something that writes what has gathered. */
export interface Flushable {
  /** Whether the runtime has not yet written all that it was given for the peer. */
  readonly isWriting: boolean;
  flush(): void;
}

/** How many times in a row nothing new has to have come before what has gathered is written. */
const QUIET_HOPS = 2;

/**
 * The same, where it is for many: until those who spoke have handled what they said, so that it goes to
 * them with the others. What they heard waits for their handler, which waits for the layer.
 */
const QUIET_HOPS_OF_MANY = 32;

/** How many times it is looked in all: a peer that never stops does not keep the others waiting. */
const MAX_HOPS = 256;

/** Writes that take long enough together for more to gather meanwhile. */
const MANY = 32;

/** For how many goes of the event loop that is waited for at most: a peer may stop reading meanwhile. */
const MAX_GOES = 200;

/** How many are looked at to find one that is not known to have stopped reading. */
const MAX_PICKS = 8;

/**
 * Lets outboxes write once a turn what is due for them.
 *
 * The turn is that of the microtask queue: what the sockets brought in one go of the event loop is
 * handled first, and then written. Messages that a peer sent in one packet come out of the runtime
 * one microtask after another, so the turn is over when none came for two of them: nothing waits for
 * the network or a timer, and a lone frame only for the end of the function that sent it.
 *
 * While the runtime still works off many writes of the turn before, more may gather: what is written
 * now would stand behind them anyway. Whether it pays to wait for a moment longer, {@linkcode Hold} says.
 */
export class Gatherer {
  readonly #first = new Batch();
  readonly #hold: Hold;
  /** Frames that gather, of the peer that has most of them. */
  #frames = 0;
  #waiting: Flushable[] = [];
  #hasNews = false;
  #quiet = 0;
  #hops = 0;
  /** Of the many that were written last one of the last: it is written when nearly all are. */
  #written: Flushable | undefined;
  /** Those that were waited for in vain. */
  readonly #slow = new WeakSet<Flushable>();
  #goes = 0;
  /** Whether it is looked whether more comes. */
  #isLooking = false;
  /** Ends a wait, where there is one. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(hold: Hold = new Hold()) {
    this.#hold = hold;
  }

  /** Adds an outbox that has something to write. */
  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) === 1) this.#lookSoon();
  }

  /** Adds a frame to what gathers for one peer. Peers that get the same frames share the batch. */
  join(batch: Batch | undefined, frame: string): Batch {
    this.#hasNews = true;
    const joined = (batch ?? this.#first).with(frame);
    if (joined.frames > this.#frames) {
      this.#frames = joined.frames;
      if (this.#timer !== undefined && !this.#isLooking) this.#lookSoon();
    }
    return joined;
  }

  #lookSoon(): void {
    this.#isLooking = true;
    this.#quiet = this.#hops = 0;
    queueMicrotask(this.#look);
  }

  readonly #look = (): void => {
    this.#quiet = this.#hasNews ? 0 : this.#quiet + 1;
    this.#hasNews = false;
    const wanted = this.#isForMany ? QUIET_HOPS_OF_MANY : QUIET_HOPS;
    if (this.#quiet < wanted && ++this.#hops < MAX_HOPS) return queueMicrotask(this.#look);
    this.#isLooking = false;
    this.#flushWhenDue();
  };

  get #isForMany(): boolean {
    return this.#waiting.length >= MANY;
  }

  /** Writes, unless it is waited for: for the writes of the turn before, or for more to come. */
  readonly #flushWhenDue = (): void => {
    if (this.#written !== undefined || this.#waiting.length === 0) return;
    const waitMs = this.#isForMany ? this.#hold.waitMs(this.#frames) : 0;
    if (waitMs === 0) return this.#flush();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isLooking) this.#flushWhenDue();
    }, waitMs);
  };

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // Who speaks to many was added last, and is written first: it can go on while the others are written.
    const waiting = this.#waiting.reverse();
    this.#waiting = [];
    this.#first.forget();
    this.#goes = this.#frames = 0;
    this.#written = waiting.length < MANY ? undefined : this.#pickReader(waiting);
    if (this.#written !== undefined) {
      this.#hold.began();
      setImmediate(this.#awaitWrites);
    }
    for (const outbox of waiting) outbox.flush();
  }

  /** Looks in each go of the event loop whether it has got to the end of many writes. */
  readonly #awaitWrites = (): void => {
    const written = this.#written!;
    const { isWriting } = written;
    if (isWriting && this.#goes++ < MAX_GOES) {
      setImmediate(this.#awaitWrites);
      return;
    }
    if (isWriting) this.#slow.add(written);
    else this.#hold.written();
    this.#written = undefined;
    if (!this.#isLooking) this.#flushWhenDue();
  };

  /** Returns one of the last, but none that was waited for in vain and still has something to be written. */
  #pickReader(waiting: readonly Flushable[]): Flushable | undefined {
    return waiting.slice(-MAX_PICKS).findLast((outbox) => {
      if (!this.#slow.has(outbox)) return true;
      if (outbox.isWriting) return false;
      this.#slow.delete(outbox);
      return true;
    });
  }
}
