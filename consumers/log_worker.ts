import { defineMessages } from "@sluice/sluice/protocol";
import { type JobHandlersOf, WorkerConsumer } from "@sluice/sluice/workers";
import * as v from "valibot";

/** What the worker of the channel `log` takes. */
export const logMessages = defineMessages({
  client: {},
  server: {},
  layer: { line: v.object({ text: v.string() }) },
});

/** Writes what it is sent into the log: to see that workers work, and to begin another one from. */
export class LogWorker extends WorkerConsumer<typeof logMessages> {
  readonly messages = logMessages;
  readonly handlers = handlers;
}

const handlers: JobHandlersOf<LogWorker> = {
  line({ text }) {
    this.scope.log.info(text, { channel: this.scope.channel });
  },
};
