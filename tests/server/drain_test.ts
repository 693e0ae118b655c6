import { test } from "node:test";
import assert from "node:assert/strict";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import { type Clock, toHandler } from "@sluice/sluice/server";
import { Drain } from "../../lib/server/drain.ts";
import { openStack } from "../support/open_stack.ts";
import { FakeConnection } from "../support/fake_connection.ts";
import { WsClient } from "../support/app/ws_client.ts";

/** A clock that can pause like a suspended process: timers then fire late. */
class StallingClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = until;
  }

  stand(ms: number): void {
    this.#now += ms;
  }
}

/** Creates connections and records how and when each ends after the drain has begun. */
function crowd(count: number, clock: Clock) {
  const ends: { readonly at: number; readonly code: number; readonly reason: string }[] = [];
  const beganAt = clock.now();
  const connections = Array.from({ length: count }, () => {
    const connection = FakeConnection.open();
    connection.onEnd(({ code, reason }) => ends.push({ at: clock.now() - beganAt, code, reason }));
    return connection;
  });
  return { ends, connections: new Set(connections) };
}

/** Returns the number of connections that ended in each part of the window. */
function perPart(ends: readonly { at: number }[], partMs: number, parts: number): number[] {
  return Array.from(
    { length: parts },
    (_, part) => ends.filter(({ at }) => Math.floor(at / partMs) === part).length,
  );
}

for (const count of [100, 1_000, 20_000]) {
  test(`Drain ends ${count} connections evenly over its window, and resolves with the last`, async () => {
    const clock = new StallingClock();
    const { ends, connections } = crowd(count, clock);
    let isOver = false;
    const over = new Drain(clock, () => 0.5).run([...connections], 10_000).then(() =>
      isOver = true
    );
    clock.advance(9_900);
    await Promise.resolve();
    assert.equal(isOver, false);
    clock.advance(100);
    await over;
    assert.deepEqual(perPart(ends, 1_000, 10), Array(10).fill(count / 10));
    assert.ok(ends.every(({ code }) => code === 1012));
  });
}

test("Drain asks each client to reconnect before the next one is asked, within a second", () => {
  const asked: [count: number, reason: string][] = [
    [1_000, "retry=10"],
    [30_000, "retry=1"],
    [2, "retry=1000"],
  ];
  for (const [count, reason] of asked) {
    const clock = new StallingClock();
    const { ends, connections } = crowd(count, clock);
    void new Drain(clock).run([...connections], 10_000);
    clock.advance(10_000);
    assert.deepEqual([...new Set(ends.map((end) => end.reason))], [reason]);
  }
});

test("Drain catches up a third faster after a pause, without a burst", () => {
  const clock = new StallingClock();
  const { ends, connections } = crowd(1_000, clock);
  void new Drain(clock, () => 0).run([...connections], 10_000);
  clock.advance(2_000);
  clock.stand(500);
  clock.advance(7_600);
  const parts = perPart(ends, 100, 100);
  assert.deepEqual(parts.slice(21, 25), [0, 0, 0, 0]);
  assert.ok(Math.max(...parts) <= 14, `the fullest has ${Math.max(...parts)} of 10`);
  assert.equal(ends.length, 1_000);
});

test("Drain ends all connections at once after a pause beyond its window", async () => {
  const clock = new StallingClock();
  const { ends, connections } = crowd(1_000, clock);
  const over = new Drain(clock).run([...connections], 10_000);
  clock.advance(1_000);
  clock.stand(9_000);
  clock.advance(9_000);
  assert.equal(ends.length, 1_000);
  await over;
});

test("Drain tells refused clients to reconnect after its end, spread over the same time again", () => {
  const clock = new StallingClock();
  const { connections } = crowd(1_000, clock);
  const drain = new Drain(clock);
  void drain.run([...connections], 10_000);
  const waits = Array.from({ length: 100 }, () => drain.refusal().retryAfterSeconds!);
  assert.ok(waits.every((seconds) => seconds >= 11 && seconds < 21));
  const inEach = perPart(waits.map((seconds) => ({ at: seconds - 11 })), 1, 10);
  assert.ok(inEach.every((count) => count >= 9 && count <= 11), `${inEach}`);
});

test("Drain lets a few clients reconnect together right after its end", () => {
  const clock = new StallingClock();
  const { connections } = crowd(5, clock);
  const drain = new Drain(clock);
  void drain.run([...connections], 10_000);
  for (let n = 0; n < 20; n++) assert.ok(drain.refusal().retryAfterSeconds! <= 11.05);
});

test("Drain ends a socket that was being accepted when it began", async () => {
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let disconnected = 0;
  class Slow extends Consumer {
    override async connect() {
      asked.resolve();
      await answer.promise;
      this.accept();
    }
    override disconnect() {
      disconnected++;
    }
  }
  const handler = toHandler(openStack(router([route("/", Slow)])));
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  const opening = WsClient.connect(`ws://127.0.0.1:${server.addr.port}/`);
  await asked.promise;
  const drained = handler.drain(50);
  answer.resolve();
  using client = await opening;
  assert.equal((await client.closed).code, 1012);
  await drained;
  assert.equal(disconnected, 1);
  const { connected, disconnected: told } = handler.stats;
  assert.deepEqual([connected, told], [1, 1]);
});
