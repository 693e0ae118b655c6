import { test } from "node:test";
import assert from "node:assert/strict";
import { type Clock, systemClock } from "@sluice/sluice/server";
import { Policies } from "../../lib/consumers/policies.ts";
import { FakeClock } from "@sluice/sluice/testing";
import { FakeConnection } from "../support/fake_connection.ts";
import { allInterleavings, type Run } from "../support/consumers/interleavings.ts";

/** A connection with one group. Its policy returns the current value of `may`. */
function setStage(run: Run) {
  const state = { may: true, isMember: false, withdrawn: 0, forbidden: 0 };
  const policies = new Policies({
    connection: FakeConnection.open(),
    add: () => run.step(() => void (state.isMember = true)),
    discard: () => run.step(() => void (state.isMember = false)),
    revoked: () => void state.withdrawn++,
  });
  const join = () => {
    policies.add("g", () => run.step(() => state.may)).catch(() => state.forbidden++);
  };
  const leave = () => void policies.discard("g");
  const set = (may: boolean) => () => {
    state.may = may;
    void policies.recheck();
  };
  return { state, policies, join, leave, grant: set(true), revoke: set(false) };
}

type Action = "join" | "leave" | "grant" | "revoke";

const SCENARIOS: readonly (readonly Action[])[] = [
  ["join", "revoke", "join"],
  ["join", "revoke", "grant", "join"],
  ["join", "join", "revoke"],
  ["join", "revoke", "join", "grant"],
  ["join", "leave", "join"],
  ["join", "leave", "revoke", "join"],
  ["join", "revoke", "leave", "grant", "join"],
  ["revoke", "join", "grant", "join"],
];

for (const scenario of SCENARIOS) {
  test(`Policies keeps a connection in a group exactly if the policy allows it, in all orders of ${scenario.join(", ")}`, async () => {
    const orders = await allInterleavings((run) => {
      const stage = setStage(run);
      run.script(scenario.map((action) => stage[action]));
      return async () => {
        const { state, policies } = stage;
        const isLastJoin = scenario.lastIndexOf("join") > scenario.lastIndexOf("leave");
        const isJoinLast = scenario.at(-1) === "join";
        if (!state.may || !isLastJoin) assert.equal(state.isMember, false);
        else if (isJoinLast) assert.equal(state.isMember, true);
        state.may = false;
        await policies.recheck();
        assert.equal(state.isMember, false, "the policy is not asked any more");
      };
    }, 4_000);
    assert.ok(orders >= 3, `${orders} orders`);
  });
}

/** Adds connections to groups and removes them at once. */
function setGroups(options: { clock?: Clock; isAway?: () => boolean } = {}) {
  const groups = new Set<string>();
  const withdrawn: string[] = [];
  const policies = new Policies({
    connection: FakeConnection.open(),
    clock: options.clock ?? systemClock,
    add: (group) => {
      if (options.isAway?.()) return Promise.reject(new Error("the layer is away"));
      groups.add(group);
      return Promise.resolve();
    },
    discard: (group) => {
      groups.delete(group);
      return Promise.resolve();
    },
    revoked: (group) => void withdrawn.push(group),
  });
  return { policies, groups, withdrawn };
}

test("Policies removes a connection from a group when another join is refused", async () => {
  let may = true;
  const { policies, groups, withdrawn } = setGroups();
  await policies.add("g", () => may);
  may = false;
  await assert.rejects(policies.add("g", () => may), { code: "FORBIDDEN" });
  assert.deepEqual([...groups], []);
  assert.deepEqual(withdrawn, ["g"]);
});

test("Policies removes the connection when a policy throws, and still runs the others", async () => {
  let fails = false;
  const { policies, groups } = setGroups();
  const fragile = () => {
    if (fails) throw new Error("the database is away");
    return true;
  };
  await policies.add("fragile", fragile);
  await policies.add("sound", () => true);
  fails = true;
  await policies.recheck();
  assert.deepEqual([...groups], ["sound"]);
});

test("Policies removes the connection when a policy does not answer within 10 s", async () => {
  const clock = new FakeClock();
  let hangs = false;
  const { policies, groups } = setGroups({ clock });
  await policies.add("g", () => hangs ? new Promise<boolean>(() => {}) : true);
  assert.equal(clock.pending, 0);
  hangs = true;
  const rechecked = policies.recheck();
  await clock.advance(10_000);
  await rechecked;
  assert.deepEqual([...groups], []);
});

test("Policies keeps no trace of a join that the layer rejects, and runs the policy again for the next", async () => {
  let isAway = true;
  const { policies, groups } = setGroups({ isAway: () => isAway });
  await assert.rejects(policies.add("g", () => true), /away/);
  isAway = false;
  await policies.recheck();
  assert.deepEqual([...groups], []);
  await policies.add("g", () => true);
  assert.deepEqual([...groups], ["g"]);
});
