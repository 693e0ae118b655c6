import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeClock } from "@sluice/sluice/testing";
import { RenderGate } from "../../components/room/render_gate.ts";

function createGate() {
  const clock = new FakeClock();
  const renders: number[][] = [];
  const gate = new RenderGate<number>((actions) => renders.push([...actions]), {
    intervalMs: 100,
    now: () => clock.now(),
    after: (ms, callback) => clock.after(ms, callback),
  });
  return { clock, renders, gate };
}

test("RenderGate renders the first action at once, and later ones together", async () => {
  const { clock, renders, gate } = createGate();
  gate.add(1);
  assert.deepEqual(renders, [[1]]);
  gate.add(2);
  gate.add(3);
  await clock.advance(99);
  assert.deepEqual(renders, [[1]]);
  await clock.advance(1);
  assert.deepEqual(renders, [[1], [2, 3]]);
});

test("RenderGate renders at most once per interval, and loses no action", async () => {
  const { clock, renders, gate } = createGate();
  for (let n = 0; n < 400; n++) {
    gate.add(n);
    await clock.advance(5);
  }
  await clock.advance(100);
  assert.ok(renders.length <= 2000 / 100 + 1, `${renders.length} renders`);
  assert.deepEqual(renders.flat(), Array.from({ length: 400 }, (_, n) => n));
});

test("RenderGate.flush() renders pending actions at once, in order and only once", async () => {
  const { clock, renders, gate } = createGate();
  gate.add(1);
  gate.add(2);
  gate.add(3);
  gate.flush();
  assert.deepEqual(renders, [[1], [2, 3]]);
  gate.flush();
  await clock.advance(1_000);
  assert.equal(renders.length, 2);
});

test("RenderGate.stop() renders nothing later", async () => {
  const { clock, renders, gate } = createGate();
  gate.add(1);
  gate.add(2);
  gate.stop();
  await clock.advance(1_000);
  assert.deepEqual(renders, [[1]]);
});
