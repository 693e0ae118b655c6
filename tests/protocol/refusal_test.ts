import { test } from "node:test";
import assert from "node:assert/strict";
import { Refusal } from "@sluice/sluice/protocol";
import { problem } from "@sluice/sluice/server";

test("Refusal.of() returns the same immutable refusal for a code", () => {
  const refusal = Refusal.of("NOT_SIGNED_IN");
  assert.equal(Refusal.of("NOT_SIGNED_IN"), refusal);
  assert.deepEqual([refusal.status, refusal.code], [401, "NOT_SIGNED_IN"]);
  assert.throws(() => Object.assign(refusal, { status: 200 }), TypeError);
});

test("problem() returns two complete responses for one refusal", async () => {
  const refusal = Refusal.of("UPGRADE_REQUIRED");
  const [first, second] = [problem(refusal), problem(refusal)];
  first.headers.set("x-more", "1");
  assert.deepEqual(await first.json(), await second.json());
  assert.equal(second.headers.get("upgrade"), "websocket");
  assert.equal(second.headers.has("x-more"), false);
});
