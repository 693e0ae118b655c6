/**
 * Workers serve named channels in processes other than the servers.
 *
 * A {@linkcode Worker} takes the messages, and a {@linkcode WorkerConsumer} handles them.
 *
 * @module
 */
export { runWorker } from "./deno/deno_run_worker.ts";
export { UnprocessableError } from "./unprocessable_error.ts";
export { Worker } from "./worker.ts";
export { type JobHandlersOf, WorkerConsumer } from "./worker_consumer.ts";
