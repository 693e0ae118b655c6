import type { Clock } from "../../core/clock.ts";
import type { ConnectionHandler, LayerGap, LayerMessage } from "../../core/consumer.ts";
import type { Freshness } from "../../core/freshness.ts";
import { isPromise } from "../../core/promises.ts";
import { Inbox, type InboxItem, type InboxLimits, isData, type Task } from "./inbox.ts";

/** What all serial queues of a server share. */
export interface SerialQueueContext {
  readonly clock: Clock;
  readonly limits: InboxLimits & {
    /** How long {@linkcode SerialQueue.afterRunning} waits for a running method, in milliseconds. */
    readonly teardownGraceMs: number;
  };
  /** Tells when permissions may be out of date; the queue pauses meanwhile. */
  readonly freshness?: Freshness | undefined;
}

/** The connection that owns a serial queue. */
export interface SerialQueueOwner {
  /** Called when a method of the consumer throws. */
  failed(error: unknown): void;
  /** Called when the queue pauses and when it resumes. */
  paused(isPaused: boolean): void;
}

/**
 * The serial queue of a consumer: handles messages and tasks one at a time and in order, and queues
 * them while a method runs. Errors of the consumer never escape.
 */
export class SerialQueue {
  /** The consumer; undefined until it is started. */
  consumer: ConnectionHandler | undefined;
  readonly #context: SerialQueueContext;
  readonly #owner: SerialQueueOwner;
  /** The queued items; undefined when empty. */
  #inbox: Inbox | undefined;
  /** Whether a consumer method is running. True until the consumer has been started. */
  #isBusy = true;
  #isPaused = false;
  #isEnded = false;
  #isWorkingOff = false;
  /** Whether layer messages were dropped that the consumer was not told about. */
  #hasLost = false;
  #afterRunning: (() => void) | undefined;

  constructor(context: SerialQueueContext, owner: SerialQueueOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Whether a new item must be queued. */
  get mustWait(): boolean {
    return this.#isBusy || this.#context.freshness !== undefined && this.pauseIfStale();
  }

  /** Pauses if permissions may be out of date. Returns whether the queue is paused. */
  pauseIfStale(): boolean {
    const { freshness } = this.#context;
    if (this.#isPaused || freshness?.isStale !== true) return this.#isPaused;
    this.#isPaused = true;
    this.#owner.paused(true);
    freshness.whenFresh(() => {
      this.#isPaused = false;
      this.#owner.paused(false);
      this.#workOff();
    });
    return this.#isPaused;
  }

  /** Handles a client message in its turn. Returns false if it exceeds the byte limit of the queue. */
  receive(data: string | Uint8Array): boolean {
    if (this.mustWait) return this.#queue.addMessage(data);
    this.#receive(data);
    return true;
  }

  /**
   * Handles a layer message in its turn. Returns false if the queue holds too many of them: the message
   * is dropped, and the consumer is told of a gap in its turn.
   */
  event(message: LayerMessage): boolean {
    if (this.mustWait) return this.#queue.addEvent(message) || this.#lost();
    this.#event(message);
    return true;
  }

  /** Runs a task in its turn: now, or after the queued items. No effect after the end. */
  add(task: Task): void {
    if (this.#isEnded) return;
    if (this.mustWait) this.#queue.addTask(task);
    else this.run(task);
  }

  /** Runs a task now. */
  run(task: Task): void {
    this.#isBusy = true;
    try {
      this.#ran(task());
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Notifies the consumer, in its turn, of a gap of the layer. */
  gap(gap: LayerGap): void {
    const { consumer } = this;
    if (consumer?.gap) this.add(() => consumer.gap!(gap));
  }

  /** Lets the consumer check permissions at once, and notifies it in its turn of the new scope. */
  scopeChanged(parts: readonly string[]): void {
    const { consumer } = this;
    if (consumer === undefined || this.#isEnded) return;
    const failed = (error: unknown) => this.#owner.failed(error);
    try {
      const again = consumer.reauthorize?.();
      if (isPromise(again)) again.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
    if (consumer.scopeChanged) this.add(() => consumer.scopeChanged!(parts));
  }

  /** Drops all queued items, and later ones. */
  end(): void {
    this.#isEnded = true;
    this.#inbox = undefined;
  }

  /** Calls back once: now, or when the running method has settled or its time is up. */
  afterRunning(callback: () => void): void {
    if (!this.#isBusy) return callback();
    const { clock, limits } = this.#context;
    const once = () => {
      this.#afterRunning = undefined;
      cancel();
      callback();
    };
    this.#afterRunning = once;
    const cancel = clock.after(limits.teardownGraceMs, once);
  }

  // Like `run()`, without a closure for each message.

  #receive(data: string | Uint8Array): void {
    this.#isBusy = true;
    try {
      this.#ran(this.consumer!.receive(data));
    } catch (error) {
      this.#failed(error);
    }
  }

  #event(message: LayerMessage): void {
    this.#isBusy = true;
    try {
      this.#ran(this.consumer!.event(message));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Reports dropped layer messages as a gap, after the queued items. Returns false. */
  #lost(): false {
    const { consumer } = this;
    if (this.#hasLost || consumer?.gap === undefined) return false;
    this.#hasLost = true;
    const since = this.#context.clock.now();
    this.add(() => {
      this.#hasLost = false;
      return consumer.gap!({ since, until: this.#context.clock.now() });
    });
    return false;
  }

  get #queue(): Inbox {
    return this.#inbox ??= new Inbox(this.#context.limits);
  }

  #ran(result: void | Promise<void>): void {
    if (result === undefined || !isPromise(result)) return this.#settled();
    result.then(() => this.#settled(), (error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    this.#owner.failed(error);
    this.#settled();
  }

  #settled(): void {
    this.#isBusy = false;
    this.#afterRunning?.();
    if (this.#inbox !== undefined) this.#workOff();
  }

  /** Handles queued items in a loop, so that many of them do not grow the stack. */
  #workOff(): void {
    if (this.#isWorkingOff) return;
    this.#isWorkingOff = true;
    while (this.#inbox !== undefined && !this.mustWait) {
      const item = this.#inbox.shift();
      if (item === undefined) this.#inbox = undefined;
      else this.#handle(item);
    }
    this.#isWorkingOff = false;
  }

  #handle(item: InboxItem): void {
    if (typeof item === "function") this.run(item);
    else if (isData(item)) this.#receive(item);
    else this.#event(item);
  }
}
