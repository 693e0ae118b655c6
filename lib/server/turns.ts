import { type Consumer, type Freshness, type LayerMessage, StopConsumer } from "../scope.ts";
import { isPromise } from "../promises.ts";
import { Inbox, type InboxItem, type InboxLimits, isData, type Task } from "./inbox.ts";

/** What turns need from outside; the same for all connections of a server. */
export interface TurnsContext {
  readonly limits: InboxLimits;
  /** Says when nothing is to be acted on: the connection stands still then. */
  readonly freshness?: Freshness | undefined;
}

/**
 * A consumer's turns: what comes for it is handled one at a time and in order, and waits while a
 * method of it runs. Nothing that it throws leaves here.
 */
export abstract class Turns {
  protected consumer: Consumer | undefined;
  readonly #context: TurnsContext;
  /** What waits; not there where nothing does. */
  #inbox: Inbox | undefined;
  /** Whether a method of the consumer runs; true until it was asked whether to let the client in. */
  #busy = true;
  #isHeld = false;
  #isWorkingOff = false;
  #afterRunning: (() => void) | undefined;

  constructor(context: TurnsContext) {
    this.#context = context;
  }

  /** Called when a method threw. */
  protected abstract onFailure(error: unknown): void;
  /** Called when a method has settled, before the next one. */
  protected abstract onSettled(): void;
  /** Called when everything stands still, and when it goes on. */
  protected abstract onHold(isHeld: boolean): void;

  protected get isBusy(): boolean {
    return this.#busy;
  }

  /** Whether something that comes now has to wait for its turn. */
  protected get mustWait(): boolean {
    return this.#busy || this.#context.freshness !== undefined && this.holdWhileStale();
  }

  /** Stands still where what is known may be out of date. Returns whether it does. */
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

  /** Lets a message of the client wait, or returns false: too many bytes do. */
  protected keepMessage(data: string | Uint8Array): boolean {
    return this.#waiting.addMessage(data);
  }

  /** Lets a message of the layer wait, or returns false: too many do. */
  protected keepEvent(message: LayerMessage): boolean {
    return this.#waiting.addEvent(message);
  }

  /** Does something in the consumer's turn: now, or when what runs has settled. */
  protected inTurn(task: Task): void {
    if (this.mustWait) this.#waiting.addTask(task);
    else this.run(task);
  }

  // Three of a kind, so that no message costs a closure.

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

  /** Forgets what waits. */
  protected clear(): void {
    this.#inbox = undefined;
  }

  /** Calls back once, after what runs now has settled. */
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

  /** Handles what waits; a loop, so that many that wait do not pile up on the stack. */
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
