import assert from "node:assert/strict";
import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { channelRouter } from "@sluice/sluice/routing";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { type JobHandlersOf, Worker, WorkerConsumer } from "@sluice/sluice/workers";
import { silent } from "../support/silent_log.ts";
import { beyond } from "../support/conformance/conforms.ts";

const messages = defineMessages({
  client: {},
  server: {},
  layer: { print: unchecked<{ readonly text: string }>() },
});

class Printing extends WorkerConsumer<typeof messages> {
  static readonly printed: string[] = [];
  readonly messages = messages;
  readonly handlers = handlers;
}

const handlers: JobHandlersOf<Printing> = {
  print({ text }) {
    if (text === "jam") throw new Error("jam");
    Printing.printed.push(`${this.scope.channel}: ${text}`);
  },
};

beyond(
  "worker",
  "a worker handles messages to its channels, and a failed message is not lost",
  async () => {
    const clock = new FakeClock();
    const layer = new MemoryChannelLayer({ clock });
    const find = channelRouter({ left: Printing, right: Printing });
    const worker = new Worker(find, { layer, clock, log: silent, retry: { attempts: 3 } });
    const running = worker.run(["left", "right"]);
    for (const text of ["a", "jam", "b"]) {
      await layer.send("left", {
        type: "print",
        data: { text },
      });
    }
    await layer.send("right", { type: "print", data: { text: "c" } });
    await settle();
    await clock.advance(30_000);
    assert.deepEqual(Printing.printed.sort(), ["left: a", "left: b", "right: c"]);
    const letter = await layer.receive("dead.left");
    assert.deepEqual((letter.data as { message: unknown }).message, {
      type: "print",
      data: { text: "jam" },
    });
    await worker.stop();
    await running;
    assert.deepEqual(worker.stats, { handled: 3, retried: 2, dead: 1, lost: 0 });
  },
);
