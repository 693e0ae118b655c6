import { test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "@sluice/sluice/client";
import { FakeSocket } from "../support/client/fake_environment.ts";

/** Globals that Safari 15.4, React Native or Node 22 lack, or that are newer. */
const MISSING: readonly [owner: object, name: PropertyKey][] = [
  [globalThis, "reportError"],
  [globalThis, "document"],
  [globalThis, "location"],
  [globalThis, "addEventListener"],
  [globalThis, "removeEventListener"],
  [globalThis, "structuredClone"],
  [globalThis, "requestIdleCallback"],
  [globalThis, "BroadcastChannel"],
  [globalThis, "EventSource"],
  [globalThis.navigator, "onLine"],
  [URL, "canParse"],
  [URL, "parse"],
  [Promise, "withResolvers"],
  [Promise, "try"],
  [Array, "fromAsync"],
  [Array.prototype, "toSorted"],
  [Array.prototype, "findLast"],
  [Set.prototype, "union"],
  [Map, "groupBy"],
  [Object, "groupBy"],
  [AbortSignal, "any"],
  [AbortSignal, "timeout"],
  [AbortSignal, "abort"],
  [AbortSignal.prototype, "throwIfAborted"],
  [Iterator.prototype, "map"],
  [Iterator.prototype, "filter"],
];

/** Removes them while `work` runs; inherited ones are hidden. */
async function without(missing: typeof MISSING, work: () => Promise<void>): Promise<void> {
  const descriptors = missing.map(([owner, name]) => Object.getOwnPropertyDescriptor(owner, name));
  for (const [owner, name] of missing) {
    assert.ok(Reflect.deleteProperty(owner, name), `${String(name)} can be taken away`);
    const hidden = { value: undefined, configurable: true, writable: true };
    if (name in owner) Object.defineProperty(owner, name, hidden);
  }
  try {
    await work();
  } finally {
    for (const [index, [owner, name]] of missing.entries()) {
      const descriptor = descriptors[index];
      Reflect.deleteProperty(owner, name);
      if (descriptor) Object.defineProperty(owner, name, descriptor);
    }
  }
}

test("the client needs nothing newer than its baseline", { timeout: 20_000 }, async () => {
  const sockets: FakeSocket[] = [];
  class Socket extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const logged: unknown[] = [];
  const { error } = console;
  console.error = (value: unknown) => logged.push(value);
  try {
    await without(MISSING, async () => {
      assert.equal("reportError" in globalThis || "canParse" in URL, false);
      const options = { environment: { WebSocket: Socket }, baseDelayMs: 100 };
      assert.throws(() => connect("/ws/echo", options), TypeError);
      const room = connect("https://app.example/ws/echo?v=1#top", options);
      assert.equal(room.url, "wss://app.example/ws/echo?v=1");
      sockets[0]!.open();
      const bug = new Error("a bug in a handler");
      const heard: unknown[] = [];
      room.on("said", () => {
        throw bug;
      });
      room.on("said", (data) => heard.push(data));
      sockets[0]!.say({ type: "said", data: 1 }, { type: "said", data: 2 });
      assert.deepEqual([heard, logged], [[1, 2], [bug, bug]]);
      const stop = new AbortController();
      const aborted = room.request("say", {}, { signal: stop.signal });
      stop.abort();
      await assert.rejects(aborted, { code: "ABORTED" });
      await assert.rejects(room.request("say", {}, { timeoutMs: 1 }), { code: "TIMEOUT" });
      sockets[0]!.end(1011);
      const waiting = room.request("say", { text: "patient" });
      await new Promise<void>((resolve) => room.onState((_, { attempt }) => attempt && resolve()));
      sockets[1]!.open();
      const { id } = sockets[1]!.frames[0]!;
      sockets[1]!.say({ type: "reply", id, ok: true, data: "answered" });
      assert.equal(await waiting, "answered");
      room.close();
    });
  } finally {
    console.error = error;
  }
});

test("connect() names the missing WebSocket", async () => {
  await without([[globalThis, "WebSocket"]], () => {
    assert.throws(() => connect("ws://app.example/"), { message: /no WebSocket/ });
    return Promise.resolve();
  });
});
