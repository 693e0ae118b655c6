import type { ChannelLayer } from "../layers/mod.ts";
import { FrameError, type Messages } from "../protocol/mod.ts";
import type { LayerData, LayerType } from "../protocol/messages.ts";
import { parseData } from "../protocol/schema.ts";
import type { LayerGap, LayerMessage } from "../core/consumer.ts";
import type { Log } from "../core/log.ts";
import { UnprocessableError } from "./unprocessable_error.ts";

/**
 * The context of a worker.
 *
 * @internal
 */
export interface WorkerScope {
  /** The channel that the worker serves. */
  readonly channel: string;
  /** The layer of the channel, for sending messages. */
  readonly layer: ChannelLayer;
  /** Receives problems with jobs. */
  readonly log: Log;
}

/**
 * The context of one message.
 *
 * @internal
 */
export interface WorkerJob {
  /** The number of this attempt over all workers, from 1. */
  readonly attempt: number;
  /** Aborts when the worker's grace period has ended, or another worker has the message. */
  readonly signal: AbortSignal;
}

/**
 * Handles the messages of one channel: a {@linkcode WorkerConsumer}, or your own implementation.
 *
 * @internal
 */
export interface ChannelWorker {
  /** Handles one message. If it throws, the message is retried, unless it throws `UnprocessableError`. */
  handle(message: LayerMessage, job: WorkerJob): Promise<void>;
  /** Called after a gap of the layer, concurrently with handlers. Errors are logged. */
  gap?(gap: LayerGap): void | Promise<void>;
  /** Called once when the worker stops, after the last message. Errors are logged. */
  stop(): void | Promise<void>;
}

/**
 * One handler per message type under `layer`.
 *
 * @internal
 */
export type JobHandlers<M extends Messages, C> = {
  readonly [T in LayerType<M>]: (
    this: C,
    data: LayerData<M, T>,
    job: WorkerJob,
  ) => void | Promise<void>;
};

/** The handlers of a worker of class `C`. */
export type JobHandlersOf<C extends { readonly messages: Messages }> = JobHandlers<
  C["messages"],
  C
>;

type AnyJobHandler = (data: unknown, job: WorkerJob) => void | Promise<void>;

/**
 * Serves one named channel in a separate process: `deno task worker NAME…`. There is one instance per
 * channel, with one handler per message type declared under `layer`.
 *
 * If a handler throws, the message is retried with growing waits, and finally sent to the dead-letter
 * channel: see {@linkcode Worker}. A message without a handler, or whose data does not match its
 * schema, is sent there at once.
 *
 * @example
 * ```ts
 * import { defineMessages, unchecked } from "@sluice/sluice";
 * import { type JobHandlersOf, WorkerConsumer } from "@sluice/sluice/workers";
 * import assert from "node:assert/strict";
 *
 * const messages = defineMessages({
 *   client: {},
 *   server: {},
 *   layer: { resize: unchecked<{ readonly file: string }>() },
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
  /** The result of `defineMessages()`; the worker takes the messages under `layer`. */
  abstract readonly messages: M;
  /** One handler per message, typed as `JobHandlersOf` your class. */
  abstract readonly handlers: JobHandlers<M, this>;
  /** The channel and what the worker gives its consumer. */
  readonly scope: WorkerScope;

  /** Called by the worker for each channel. */
  constructor(scope: WorkerScope) {
    this.scope = scope;
  }

  /**
   * Called by the worker for each message. Do not override.
   *
   * @throws {UnprocessableError} The message has no handler, or its data does not match the schema.
   */
  async handle(message: LayerMessage, job: WorkerJob): Promise<void> {
    const declared = this.messages.layer ?? {};
    if (!Object.hasOwn(declared, message.type)) {
      throw new UnprocessableError(`No handler for messages of type "${message.type}"`);
    }
    const declaration = declared[message.type]!;
    const data = "~standard" in declaration
      ? await checked(() => parseData(declaration, message.data))
      : message.data;
    await (this.handlers as Record<string, AnyJobHandler>)[message.type]!.call(this, data, job);
  }

  /**
   * Called when this process was disconnected from the layer and is connected again. Reload state that
   * depends on messages. Messages in the worker's own channel are still there, unless the store lost
   * them.
   */
  gap(_gap: LayerGap): void | Promise<void> {}

  /** Called once when the worker stops, after the last message. Errors are logged. */
  stop(): void | Promise<void> {}
}

async function checked(parse: () => unknown): Promise<unknown> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    const issues = error.issues?.map(({ path, message }) => `${path}: ${message}`).join("; ");
    throw new UnprocessableError(issues ?? error.message, { cause: error });
  }
}
