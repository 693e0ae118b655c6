import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { FrameChain } from "./frame_chain.ts";
import { Hold } from "./hold.ts";

/** A send queue that writes its batched frames. */
export interface Flushable {
  /** Whether the runtime still has unwritten data for the peer. */
  readonly isWriting: boolean;
  flush(): void;
}

/** Consecutive microtasks without a new frame before the batches are written. */
const QUIET_HOPS = 2;

/**
 * The same for many peers. This leaves time for the handlers of those peers, which wait for the layer:
 * their replies then go out in the same write.
 */
const QUIET_HOPS_OF_MANY = 32;

/** Maximum number of checks: a peer that never stops sending does not delay the others. */
const MAX_HOPS = 256;

/** Number of writes that take long enough for more frames to arrive meanwhile. */
const MANY = 32;

/** Maximum event loop iterations to wait for a write: the peer may have stopped reading. */
const MAX_ITERATIONS = 200;

/** Number of peers to examine for one that is not known to have stopped reading. */
const MAX_PICKS = 8;

/**
 * Write batching: lets each send queue write once per turn.
 *
 * A turn is a run of microtasks. Messages from all sockets in one event loop iteration are handled
 * first, then the replies are written. The runtime delivers the messages of one packet one microtask
 * apart, so the turn ends after two microtasks without a new frame. No frame waits for the network or
 * a timer, and a lone frame waits only until the function that sent it returns.
 *
 * While the runtime is busy with many writes of the last turn, more frames are collected: a write
 * would have to queue behind them anyway. {@linkcode Hold} decides on a further short delay.
 */
export class WriteBatcher {
  readonly #empty = new FrameChain();
  readonly #hold: Hold;
  /** Number of frames in the largest batch. */
  #frames = 0;
  #waiting: Flushable[] = [];
  #hasNews = false;
  #quiet = 0;
  #hops = 0;
  /** One of the last peers written in a large flush; once it is done, nearly all are. */
  #written: Flushable | undefined;
  /** Peers whose write did not finish within the wait. */
  readonly #slow = new WeakSet<Flushable>();
  #iterations = 0;
  /** Whether a check for more frames is scheduled. */
  #isCheckScheduled = false;
  /** Timer of the current delay, if any. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(hold: Hold = new Hold()) {
    this.#hold = hold;
  }

  /** Adds a send queue that has frames to write. */
  add(outbox: Flushable): void {
    if (this.#waiting.push(outbox) === 1) this.#scheduleCheck();
  }

  /** Adds a frame to the batch of a peer. Peers with the same frames share a batch. */
  join(batch: FrameChain | undefined, frame: string): FrameChain {
    this.#hasNews = true;
    const joined = (batch ?? this.#empty).with(frame);
    if (joined.frames > this.#frames) {
      this.#frames = joined.frames;
      if (this.#timer !== undefined && !this.#isCheckScheduled) this.#scheduleCheck();
    }
    return joined;
  }

  #scheduleCheck(): void {
    this.#isCheckScheduled = true;
    this.#quiet = this.#hops = 0;
    queueMicrotask(this.#check);
  }

  readonly #check = (): void => {
    this.#quiet = this.#hasNews ? 0 : this.#quiet + 1;
    this.#hasNews = false;
    const wanted = this.#isForMany ? QUIET_HOPS_OF_MANY : QUIET_HOPS;
    if (this.#quiet < wanted && ++this.#hops < MAX_HOPS) return queueMicrotask(this.#check);
    this.#isCheckScheduled = false;
    this.#flushWhenDue();
  };

  get #isForMany(): boolean {
    return this.#waiting.length >= MANY;
  }

  /** Writes unless the last turn is still being written or {@linkcode Hold} asks for a delay. */
  readonly #flushWhenDue = (): void => {
    if (this.#written !== undefined || this.#waiting.length === 0) return;
    const waitMs = this.#isForMany ? this.#hold.waitMs(this.#frames) : 0;
    if (waitMs === 0) return this.#flush();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isCheckScheduled) this.#flushWhenDue();
    }, waitMs);
  };

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // The sender to a group was added last and is written first: it can continue while the others are
    // written.
    const waiting = this.#waiting.reverse();
    this.#waiting = [];
    this.#empty.forget();
    this.#iterations = this.#frames = 0;
    this.#written = waiting.length < MANY ? undefined : this.#pickReader(waiting);
    if (this.#written !== undefined) {
      this.#hold.began();
      setImmediate(this.#awaitWrites);
    }
    for (const outbox of waiting) outbox.flush();
  }

  /** Checks once per event loop iteration whether a large flush has been written. */
  readonly #awaitWrites = (): void => {
    const written = this.#written!;
    const { isWriting } = written;
    if (isWriting && this.#iterations++ < MAX_ITERATIONS) {
      setImmediate(this.#awaitWrites);
      return;
    }
    if (isWriting) this.#slow.add(written);
    else this.#hold.written();
    this.#written = undefined;
    if (!this.#isCheckScheduled) this.#flushWhenDue();
  };

  /**
   * Returns one of the last send queues, except those that timed out before and still have data to
   * write.
   */
  #pickReader(waiting: readonly Flushable[]): Flushable | undefined {
    return waiting.slice(-MAX_PICKS).findLast((outbox) => {
      if (!this.#slow.has(outbox)) return true;
      if (outbox.isWriting) return false;
      this.#slow.delete(outbox);
      return true;
    });
  }
}
