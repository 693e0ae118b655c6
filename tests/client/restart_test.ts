import { test } from "node:test";
import assert from "node:assert/strict";
import { connect, type RealtimeSocket } from "@sluice/sluice/client";
import type { Connection } from "../../lib/core/connection.ts";
import type { Messages } from "@sluice/sluice/protocol";
import { Drain } from "../../lib/server/drain.ts";
import { problem } from "../../lib/server/problem.ts";
import { type SimulatedServer, SimulatedWorld } from "../support/simulated_world.ts";

const CLIENTS = 5_000;

/** How long a drain lasts, in milliseconds. */
const WINDOW_MS = 10_000;

/** Connects all clients, and forgets their first connections. */
async function connectAll(server: SimulatedServer) {
  const world = new SimulatedWorld(server, 20_261_129);
  const rooms: RealtimeSocket<Messages>[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    rooms.push(connect("/ws/room", { environment: world.environment(client) }));
  }
  await world.run(1_000);
  assert.equal(world.accepted.length, CLIENTS);
  world.accepted.length = world.attempts.length = 0;
  return { world, rooms };
}

/** Drains the server: its sockets are closed as the real one closes them. */
function drain(world: SimulatedWorld): Drain {
  const clock = { now: () => world.now, elapsed: () => world.now, after: world.after };
  const drain = new Drain(clock, world.random);
  const connections = world.sockets.map((socket) => ({
    onEnd() {},
    end: (code: number, reason: string) => socket.emit("close", { code, reason }),
  } as unknown as Connection));
  void drain.run(connections, WINDOW_MS).catch(() => {});
  return drain;
}

/** The fullest 100 ms of the returns, as a multiple of the even rate over `spanMs`. */
function fullest(times: readonly number[], spanMs: number): number {
  const bins = new Map<number, number>();
  for (const time of times) {
    const bin = Math.floor(time / 100);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return Math.max(...bins.values()) / (CLIENTS / (spanMs / 100));
}

test("5,000 clients of a draining server return evenly to another one", async () => {
  const { world, rooms } = await connectAll({ upgrade: () => undefined });
  drain(world);
  await world.run(1_000 + 15_000);
  assert.equal(world.accepted.length, CLIENTS);
  assert.ok(world.attempts.every((count) => count === 1));
  const rate = fullest(world.accepted, WINDOW_MS);
  assert.ok(rate <= 1.5, `the fullest 100 ms took ${rate} times the even rate`);
  for (const room of rooms) room.close();
});

test("5,000 clients of a server that restarts return evenly within 15 s of its start", async () => {
  let draining: Drain | undefined;
  let isUp = true;
  const { world, rooms } = await connectAll({
    upgrade() {
      if (!isUp) return new TypeError("Connection refused");
      return draining ? problem(draining.refusal()) : undefined;
    },
  });
  draining = drain(world);
  await world.run(1_000 + WINDOW_MS);
  isUp = false;
  draining = undefined;
  await world.run(1_000 + WINDOW_MS + 900);
  isUp = true;
  const startedAt = world.now;
  await world.run(startedAt + 15_000);
  assert.equal(world.accepted.length, CLIENTS);
  const rate = fullest(world.accepted, WINDOW_MS);
  assert.ok(rate <= 1.5, `the fullest 100 ms took ${rate} times the even rate`);
  for (const room of rooms) room.close();
});

test("5,000 clients of a server that was killed are back within 15 s of its start", async () => {
  let isUp = true;
  const server = { upgrade: () => isUp ? undefined : new TypeError("Connection refused") };
  const { world, rooms } = await connectAll(server);
  isUp = false;
  for (const socket of [...world.sockets]) socket.emit("close", { code: 1006 });
  await world.run(world.now + 2_000);
  isUp = true;
  const startedAt = world.now;
  await world.run(startedAt + 15_000);
  assert.equal(world.accepted.length, CLIENTS);
  // Without a window from the server, the random delays alone spread them: at most a tenth at once.
  assert.ok(fullest(world.accepted, 100) <= 0.1);
  for (const room of rooms) room.close();
});

test("5,000 clients whose sessions have ended attempt once, and never again", async () => {
  let isOver = false;
  const refusal = () =>
    Response.json({ code: "SESSION_EXPIRED" }, {
      status: 401,
      headers: { "content-type": "application/problem+json" },
    });
  const { world, rooms } = await connectAll({ upgrade: () => isOver ? refusal() : undefined });
  isOver = true;
  drain(world);
  await world.run(3_600_000);
  assert.ok(rooms.every(({ state }) => state === "signed-out"));
  assert.ok(world.attempts.every((count) => count === 1));
  assert.equal(world.accepted.length, 0);
  for (const room of rooms) room.close();
});
