/** A process that was paused sends nothing before it knows about changes in the meantime. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { type HandlersOf, HttpConsumer, JsonConsumer } from "@sluice/sluice/consumers";
import { defineMessages, type Schema, unchecked } from "@sluice/sluice/protocol";
import { route, router } from "@sluice/sluice/routing";
import { toHandler } from "@sluice/sluice/server";
import type { Freshness } from "../../lib/core/freshness.ts";
import type { SocketEvents, Transport } from "../../lib/core/transport.ts";
import { settle } from "@sluice/sluice/testing";
import { openStack } from "../support/open_stack.ts";
import { silent } from "../support/silent_log.ts";

/** Stale from `pause()` to `wake()`. */
class PausedProcess implements Freshness {
  isStale = false;
  #waiting: (() => void)[] = [];

  whenFresh(callback: () => void): void {
    this.#waiting.push(callback);
  }

  wake(): void {
    this.isStale = false;
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

const anything: Schema<unknown, unknown> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};
const messages = defineMessages({
  client: { ask: { data: anything, reply: unchecked<string>() } },
  server: { answer: unchecked<string>() },
});

let goOn = Promise.withResolvers<void>();

class Slow extends JsonConsumer<typeof messages, Scope> {
  readonly messages = messages;
  readonly handlers: HandlersOf<Slow> = {
    async ask() {
      await goOn.promise;
      this.sendJson({ type: "answer", data: "secret" });
      return "secret";
    },
  };
}

class SlowPage extends HttpConsumer {
  override async handle() {
    await goOn.promise;
    await this.sendResponse(200, "secret");
  }
}

const UPGRADE = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

test("a handler that resumes while the process is stale sends neither messages nor its reply", async () => {
  goOn = Promise.withResolvers();
  const freshness = new PausedProcess();
  const sent: unknown[] = [];
  let events!: SocketEvents;
  const transport: Transport = {
    upgrade(_request, socketEvents) {
      events = socketEvents;
      const socket = {
        bufferedAmount: 0,
        send: (data: unknown) => void sent.push(data),
        close() {},
      };
      return { response: new Response("upgraded"), socket };
    },
  };
  const application = openStack(router<Scope>([route("/", Slow)]));
  const handler = toHandler(application, { transport, freshness, log: silent });
  await handler(new Request("http://sluice.test/", { headers: UPGRADE }));
  events.open();
  events.message(JSON.stringify({ type: "ask", data: 1, id: "1" }));
  await settle();
  freshness.isStale = true;
  goOn.resolve();
  events.message(JSON.stringify({ type: "ping", id: "2" }));
  await settle();
  assert.deepEqual(sent, []);
  freshness.wake();
  await settle();
  assert.equal(sent.length, 3);
  assert.ok(sent.some((frame) => /"reply","id":"1"/.test(String(frame))));
});

test("a response to a plain request waits while the process is stale", async () => {
  goOn = Promise.withResolvers();
  const freshness = new PausedProcess();
  const application = openStack(router<Scope>([route("/", SlowPage)]));
  const handler = toHandler(application, { freshness, log: silent });
  let answer: Response | undefined;
  const answered = Promise.resolve(handler(new Request("http://sluice.test/")))
    .then((response) => answer = response);
  await settle();
  freshness.isStale = true;
  goOn.resolve();
  await settle();
  assert.equal(answer, undefined);
  freshness.wake();
  await answered;
  assert.equal(await answer!.text(), "secret");
});

test("a waiting response is refused if the session ends meanwhile", async () => {
  goOn = Promise.withResolvers();
  const freshness = new PausedProcess();
  const application = openStack(router<Scope>([route("/", SlowPage)]));
  const handler = toHandler(application, { freshness, log: silent });
  const answer = handler(new Request("http://sluice.test/"));
  await settle();
  freshness.isStale = true;
  goOn.resolve();
  await settle();
  handler.endAll(4401, "signed out");
  freshness.wake();
  assert.equal((await answer).status, 401);
});
