import { test } from "node:test";
import assert from "node:assert/strict";
import type { Application, ConnectionEnd, Scope, Transport } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { Refusal } from "@sluice/sluice/protocol";
import { route, router } from "@sluice/sluice/routing";
import { toHandler } from "@sluice/sluice/server";

/** Upgrades nothing: every socket is one that nobody reads. */
const transport: Transport = {
  upgrade: () => ({
    response: new Response("upgraded"),
    socket: { bufferedAmount: 0, send() {}, close() {} },
  }),
};

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function upgradeWith(application: Application<Scope>): Response | Promise<Response> {
  const headers = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const handler = toHandler(application, { transport, log: silent });
  return handler(new Request("http://sluice.test/", { headers }));
}

class Open extends Consumer {}

class Hesitant extends Consumer {
  override async connect() {
    await Promise.resolve();
    this.accept();
  }
}

/** Ends the connection in place of an answer. */
class Leaving extends Consumer {
  override connect() {
    this.scope.connection.end(1012, "later");
  }
}

class LeavingLater extends Consumer {
  override async connect() {
    await Promise.resolve();
    this.scope.connection.end(1012, "later");
  }
}

/** Says two things: the first counts. */
class Wavering extends Consumer {
  override connect() {
    this.scope.connection.refuse(new Refusal("BANNED"));
    this.accept();
  }
}

test("a request is answered in the same turn where nothing has to be waited for", async () => {
  const letIn = upgradeWith(router([route("/", Open)]));
  assert.ok(letIn instanceof Response);
  assert.equal(await letIn.text(), "upgraded");
  const refused = upgradeWith(() => new Refusal("NOT_SIGNED_IN"));
  assert.ok(refused instanceof Response);
  assert.equal(refused.status, 401);
});

for (
  const [what, application, expected] of [
    ["waits before it accepts", router<Scope>([route("/", Hesitant)]), 200],
    ["ends the connection at once", router<Scope>([route("/", Leaving)]), 503],
    ["ends the connection later", router<Scope>([route("/", LeavingLater)]), 503],
    ["refuses, and then accepts", router<Scope>([route("/", Wavering)]), 403],
    ["is not there yet", () => Promise.resolve(new Refusal("NOT_SIGNED_IN")), 401],
    ["fails at once", () => {
      throw new Error("a secret");
    }, 500],
    ["fails later", () => Promise.reject(new Error("a secret")), 500],
    ["refuses by throwing", () => {
      throw new Refusal("BANNED");
    }, 403],
  ] as const
) {
  test(`an application or consumer that ${what} is answered with ${expected}`, async () => {
    const response = await upgradeWith(application);
    assert.equal(response.status, expected);
    assert.doesNotMatch(await response.text(), /secret/);
  });
}

test("Connection.onEnd() tells each listener once, and none that was taken back", async () => {
  const told: string[] = [];
  class Listening extends Consumer {
    override connect() {
      const { connection } = this.scope;
      const twice = () => void told.push("function");
      const object = { ended: ({ code }: ConnectionEnd) => void told.push(`object ${code}`) };
      const taken = () => void told.push("taken back");
      for (const listener of [twice, twice, object, taken]) connection.onEnd(listener);
      connection.offEnd(taken);
      this.accept();
      connection.end(1001);
      connection.onEnd(() => void told.push("late"));
    }
  }
  await upgradeWith(router([route("/", Listening)]));
  assert.deepEqual(told, ["function", "object 1001", "late"]);
});
