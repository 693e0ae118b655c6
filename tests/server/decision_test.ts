import { test } from "node:test";
import assert from "node:assert/strict";
import type { Application, Scope } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { Refusal } from "@sluice/sluice/protocol";
import { route, router } from "@sluice/sluice/routing";
import { toHandler } from "@sluice/sluice/server";
import type { Transport } from "../../lib/core/transport.ts";
import { FakeClock, settle } from "@sluice/sluice/testing";
import { openStack } from "../support/open_stack.ts";
import { silent } from "../support/silent_log.ts";
import type { ConnectionEnd } from "../../lib/core/connection.ts";

/** A transport whose sockets discard everything. */
const transport: Transport = {
  upgrade: () => ({
    response: new Response("upgraded"),
    socket: { bufferedAmount: 0, send() {}, close() {} },
  }),
};

const UPGRADE = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function upgradeWith(application: Application<Scope>): Response | Promise<Response> {
  const handler = toHandler(openStack(application), { transport, log: silent });
  return handler(new Request("http://sluice.test/", { headers: UPGRADE }));
}

class Open extends Consumer {}

class Hesitant extends Consumer {
  override async connect() {
    await Promise.resolve();
    this.accept();
  }
}

/** Ends the connection instead of deciding. */
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

/** Closes the connection instead of deciding. */
class Closing extends Consumer {
  override connect() {
    this.close();
  }
}

class ClosingWithCode extends Consumer {
  override connect() {
    this.close(4001, "not you");
  }
}

/** Refuses and then accepts: the first decision counts. */
class Wavering extends Consumer {
  override connect() {
    this.scope.connection.refuse(new Refusal("BANNED"));
    this.accept();
  }
}

test("toHandler() responds synchronously if nothing needs to be awaited", async () => {
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
    ["closes before it accepts", router<Scope>([route("/", Closing)]), 403],
    ["closes with a code before it accepts", router<Scope>([route("/", ClosingWithCode)]), 403],
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

test("Connection.onEnd() calls each listener once, and no removed one", async () => {
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

/** Resolves when a condition holds; checks once per turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

for (
  const [what, hang] of [
    ["a middleware", () => () => new Promise<never>(() => {})],
    ["a middleware around a router", () => {
      const inside = router<Scope>([route("/", Open)]);
      return async (scope: Scope) => {
        await new Promise<never>(() => {});
        return inside(scope);
      };
    }],
    ["a consumer", () => {
      class Undecided extends Consumer {
        override connect() {
          return new Promise<never>(() => {});
        }
      }
      return router<Scope>([route("/", Undecided)]);
    }],
  ] as const
) {
  test(`a request is refused with 503 at the limit if ${what} hangs, and counted once`, async () => {
    const clock = new FakeClock();
    const refusals: string[] = [];
    const handler = toHandler(openStack(hang()), {
      transport,
      clock,
      log: silent,
      limits: { decisionTimeoutMs: 200 },
      onRefusal: ({ code }) => void refusals.push(code),
    });
    const answer = handler(new Request("http://sluice.test/", { headers: UPGRADE }));
    await clock.advance(200);
    assert.equal((await answer).status, 503);
    assert.deepEqual(refusals, ["UNAVAILABLE"]);
    assert.equal(handler.stats.open, 0);
  });
}

test("a decision after the limit opens no socket and is not counted", async () => {
  const clock = new FakeClock();
  const decision = Promise.withResolvers<void>();
  let upgrades = 0;
  let asked = 0;
  class Late extends Consumer {
    override connect() {
      asked++;
      this.accept();
    }
  }
  const inside = router<Scope>([route("/", Late)]);
  const handler = toHandler(openStack((scope) => decision.promise.then(() => inside(scope))), {
    transport: { upgrade: (...args) => (upgrades++, transport.upgrade(...args)) },
    clock,
    log: silent,
    limits: { decisionTimeoutMs: 200 },
  });
  const answer = handler(new Request("http://sluice.test/", { headers: UPGRADE }));
  await clock.advance(200);
  assert.equal((await answer).status, 503);
  decision.resolve();
  await settle();
  assert.deepEqual([asked, upgrades, handler.stats.open], [0, 0, 0]);
  assert.deepEqual([...handler.stats.refused], [["UNAVAILABLE", 1]]);
});

test("a request is answered with 401 if its session ends while a middleware hangs", async () => {
  let scope: Scope | undefined;
  const handler = toHandler(
    openStack((asked) => {
      scope = asked;
      return new Promise<never>(() => {});
    }),
    { transport, log: silent },
  );
  const answer = handler(new Request("http://sluice.test/", { headers: UPGRADE }));
  await until(() => scope !== undefined);
  scope!.connection.end(4401, "signed out");
  assert.equal((await answer).status, 401);
});

test("drain() waits for a request that is being decided, and refuses one that hangs", async () => {
  const clock = new FakeClock();
  const handler = toHandler(openStack(() => new Promise<never>(() => {})), {
    transport,
    clock,
    log: silent,
    random: () => 0.5,
  });
  const answer = handler(new Request("http://sluice.test/", { headers: UPGRADE }));
  let isDrained = false;
  const drained = handler.drain(10_000).then(() => isDrained = true);
  await clock.advance(4_000);
  assert.equal(isDrained, false);
  await clock.advance(6_000);
  assert.equal((await answer).status, 503);
  await drained;
});

test("drain() closes a socket that opens meanwhile with 1012 before it resolves", async () => {
  const clock = new FakeClock();
  const decision = Promise.withResolvers<void>();
  const closed: number[] = [];
  class Slow extends Consumer {
    override async connect() {
      await decision.promise;
      this.accept();
    }
    override disconnect(code: number) {
      closed.push(code);
    }
  }
  const handler = toHandler(openStack(router<Scope>([route("/", Slow)])), {
    transport,
    clock,
    log: silent,
    random: () => 0.5,
  });
  const answer = handler(new Request("http://sluice.test/", { headers: UPGRADE }));
  const drained = handler.drain(10_000);
  decision.resolve();
  assert.equal((await answer).status, 200);
  assert.equal(handler.stats.open, 1);
  assert.deepEqual(closed, []);
  await clock.advance(10_000);
  await clock.advance(1_000);
  await drained;
  assert.deepEqual(closed, [1012]);
});

test("a connection refused while a middleware is waiting is answered with that refusal", async () => {
  const response = await upgradeWith(async ({ connection }) => {
    await Promise.resolve();
    connection.refuse(Refusal.of("NOT_SIGNED_IN"));
    return await new Promise(() => {});
  });
  assert.equal(response.status, 401);
  assert.equal((await response.json()).code, "NOT_SIGNED_IN");
});
