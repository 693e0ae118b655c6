import { defineMessages } from "@sluice/sluice";
import { type JobHandlersOf, WorkerConsumer } from "@sluice/sluice/workers";
import * as v from "valibot";

/** The messages that the worker of the channel `log` handles. */
export const logMessages = defineMessages({
  client: {},
  server: {},
  layer: { line: v.object({ text: v.string() }) },
});

/** Logs the messages it receives: a check that workers run, and a template for new ones. */
export class LogWorker extends WorkerConsumer<typeof logMessages> {
  readonly messages = logMessages;
  readonly handlers = handlers;
}

const handlers: JobHandlersOf<LogWorker> = {
  line({ text }) {
    this.scope.log.info(text, { channel: this.scope.channel });
  },
};
