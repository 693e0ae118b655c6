import { type ConnectionHandler, type LayerMessage, StopConsumer } from "../../core/consumer.ts";
import type { Freshness } from "../../core/freshness.ts";
import { isPromise } from "../../core/promises.ts";
import { Inbox, type InboxItem, type InboxLimits, isData, type Task } from "./inbox.ts";

/** What all connections of a server share. */
export interface SerialQueueContext {
  readonly limits: InboxLimits;
  /** Tells when permissions may be out of date; the connection pauses meanwhile. */
  readonly freshness?: Freshness | undefined;
}

/**
 * The serial queue of a consumer: handles messages and tasks one at a time and in order, and queues
 * them while a method runs. Errors of the consumer never escape.
 */
export abstract class SerialQueue {
  protected consumer: ConnectionHandler | undefined;
  readonly #context: SerialQueueContext;
  /** The queued items; undefined when empty. */
  #inbox: Inbox | undefined;
  /** Whether a consumer method is running. True until the consumer has been started. */
  #busy = true;
  #isHeld = false;
  #isWorkingOff = false;
  #afterRunning: (() => void) | undefined;

  constructor(context: SerialQueueContext) {
    this.#context = context;
  }

  /** Called when a method throws. */
  protected abstract onFailure(error: unknown): void;
  /** Called when a method settles, before the next one. */
  protected abstract onSettled(): void;
  /** Called when the connection pauses and when it resumes. */
  protected abstract onHold(isHeld: boolean): void;

  protected get isBusy(): boolean {
    return this.#busy;
  }

  /** Whether a new item must be queued. */
  protected get mustWait(): boolean {
    return this.#busy || this.#context.freshness !== undefined && this.holdWhileStale();
  }

  /** Pauses if permissions may be out of date. Returns whether the connection is paused. */
  protected holdWhileStale(): boolean {
    const { freshness } = this.#context;
    if (this.#isHeld || freshness?.isStale !== true) return this.#isHeld;
    this.#isHeld = true;
    this.onHold(true);
    freshness.whenFresh(() => {
      this.#isHeld = false;
      this.onHold(false);
      this.#workOff();
    });
    return this.#isHeld;
  }

  /** Queues a client message. Returns false if that exceeds the byte limit. */
  protected keepMessage(data: string | Uint8Array): boolean {
    return this.#waiting.addMessage(data);
  }

  /** Queues a layer message. Returns false if the mailbox is full. */
  protected keepEvent(message: LayerMessage): boolean {
    return this.#waiting.addEvent(message);
  }

  /** Runs a task in the consumer's turn: now, or after queued items. */
  protected inTurn(task: Task): void {
    if (this.mustWait) this.#waiting.addTask(task);
    else this.run(task);
  }

  // Three similar methods, so that no message needs a closure.

  protected receive(data: string | Uint8Array): void {
    this.#busy = true;
    try {
      this.#ran(this.consumer!.receive(data));
    } catch (error) {
      this.#failed(error);
    }
  }

  protected event(message: LayerMessage): void {
    this.#busy = true;
    try {
      this.#ran(this.consumer!.event(message));
    } catch (error) {
      this.#failed(error);
    }
  }

  protected run(task: Task): void {
    this.#busy = true;
    try {
      this.#ran(task());
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Drops all queued items. */
  protected clear(): void {
    this.#inbox = undefined;
  }

  /** Sets a callback for when the running method settles. */
  protected afterRunning(callback: (() => void) | undefined): void {
    this.#afterRunning = callback;
  }

  get #waiting(): Inbox {
    return this.#inbox ??= new Inbox(this.#context.limits);
  }

  #ran(result: void | Promise<void>): void {
    if (!isPromise(result)) return this.#settled();
    result.then(() => this.#settled(), (error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (!(error instanceof StopConsumer)) this.onFailure(error);
    this.#settled();
  }

  #settled(): void {
    this.onSettled();
    this.#busy = false;
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
    else if (isData(item)) this.receive(item);
    else this.event(item);
  }
}
