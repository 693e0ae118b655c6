import type { ChannelLayer } from "../layers/mod.ts";
import {
  FrameError,
  type LayerData,
  type LayerType,
  type Messages,
  parseData,
} from "../protocol/mod.ts";
import type { LayerGap, LayerMessage, Log } from "../scope.ts";
import { Unprocessable } from "./unprocessable.ts";

/** What a worker knows besides its messages. */
export interface WorkerScope {
  /** The channel that it serves. */
  readonly channel: string;
  /** Where messages come from, and may be sent to. */
  readonly layer: ChannelLayer;
  readonly log: Log;
}

/** What is known of one message. */
export interface Job {
  /** 1 at the first attempt, over all workers. */
  readonly attempt: number;
  /** Aborts when the worker cannot wait any longer, or another worker has the message. */
  readonly signal: AbortSignal;
}

/** Handles the messages of one channel: a {@linkcode WorkerConsumer}, or something of your own. */
export interface ChannelWorker {
  /** Handles one message. What it throws is tried again, unless it is `Unprocessable`. */
  handle(message: LayerMessage, job: Job): Promise<void>;
  /** Called after a gap of the layer, beside whatever is handled. What it throws is logged. */
  gap?(gap: LayerGap): void | Promise<void>;
  /** Called once when the worker stops, after the last message. What it throws is logged. */
  stop(): void | Promise<void>;
}

/** One handler per type of message under `layer`. */
export type JobHandlers<M extends Messages, C> = {
  readonly [T in LayerType<M>]: (
    this: C,
    data: LayerData<M, T>,
    job: Job,
  ) => void | Promise<void>;
};

/** The handlers of a worker of class `C`. */
export type JobHandlersOf<C extends { readonly messages: Messages }> = JobHandlers<
  C["messages"],
  C
>;

type AnyJobHandler = (data: unknown, job: Job) => void | Promise<void>;

/**
 * Serves one named channel, in a process of its own: `deno task worker NAME…`. One instance for each
 * channel; a handler for each type of message that is declared under `layer`.
 *
 * What a handler throws is tried again, later and later, and ends in the dead-letter channel: see
 * {@linkcode Worker}. A message whose type has no handler, or whose data does not fit its schema, goes
 * there at once.
 *
 * @example
 * ```ts
 * import { defineMessages, type } from "@sluice/sluice/protocol";
 * import { type JobHandlersOf, WorkerConsumer } from "@sluice/sluice/workers";
 * import assert from "node:assert/strict";
 *
 * const messages = defineMessages({
 *   client: {},
 *   server: {},
 *   layer: { resize: type<{ readonly file: string }>() },
 * });
 *
 * class Thumbnails extends WorkerConsumer<typeof messages> {
 *   readonly messages = messages;
 *   readonly handlers = handlers;
 *   readonly done: string[] = [];
 * }
 *
 * const handlers: JobHandlersOf<Thumbnails> = {
 *   resize({ file }) {
 *     this.done.push(file);
 *   },
 * };
 * assert.ok(Thumbnails);
 * ```
 */
export abstract class WorkerConsumer<M extends Messages> implements ChannelWorker {
  /** The messages it takes, as `defineMessages()` returned them: those under `layer`. */
  abstract readonly messages: M;
  /** A handler for each of them: a `JobHandlersOf` your class. */
  abstract readonly handlers: JobHandlers<M, this>;
  readonly scope: WorkerScope;

  constructor(scope: WorkerScope) {
    this.scope = scope;
  }

  /**
   * Called by the worker for each message. Not for overriding.
   *
   * @throws {Unprocessable} It has no handler, or does not fit: trying again would not help.
   */
  async handle(message: LayerMessage, job: Job): Promise<void> {
    const declared = this.messages.layer ?? {};
    if (!Object.hasOwn(declared, message.type)) {
      throw new Unprocessable(`Nothing handles messages of type "${message.type}"`);
    }
    const declaration = declared[message.type]!;
    const data = "~standard" in declaration
      ? await checked(() => parseData(declaration, message.data))
      : message.data;
    await (this.handlers as Record<string, AnyJobHandler>)[message.type]!.call(this, data, job);
  }

  /**
   * Called when this process was cut off from the others and is back: whoever keeps state fetches it
   * anew. What was in the worker's channel meanwhile is still there, unless its keeper lost it.
   */
  gap(_gap: LayerGap): void | Promise<void> {}

  /** Called once when the worker stops, after the last message. What it throws is logged. */
  stop(): void | Promise<void> {}
}

async function checked(parse: () => unknown): Promise<unknown> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    const issues = error.issues?.map(({ path, message }) => `${path}: ${message}`).join("; ");
    throw new Unprocessable(issues ?? error.message, { cause: error });
  }
}
