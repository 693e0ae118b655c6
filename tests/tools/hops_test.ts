import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../tools/provide/programs.ts";

const PROGRAM = fileURLToPath(new URL("../../tools/hops.ts", import.meta.url));

/** The most files of `lib/` that each path may enter. Lower a limit if a path enters fewer. */
const LIMITS: Readonly<Record<string, number>> = {
  "upgrade of a known session": 32,
  "groupSend() to send(), memory layer": 9,
  // With the signature of its announcement.
  "Sessions.end() to Connection.end()": 27,
  "end of a session to the end of its socket": 45,
};

test("each path through the toolkit enters no more files than its limit", async () => {
  const options = { timeoutMs: 20_000 };
  const { success, output } = await run(Deno.execPath(), ["run", "-A", PROGRAM, "-v"], options);
  assert.ok(success, output);
  const counted = Object.fromEntries(
    [...output.matchAll(/^(\d+) files: (.*) \(.*\)$/gm)].map((
      [, count, path],
    ) => [path, Number(count)]),
  );
  assert.deepEqual(Object.keys(counted), Object.keys(LIMITS));
  for (const [path, limit] of Object.entries(LIMITS)) {
    assert.ok(counted[path]! <= limit && counted[path]! > 5, `${path}\n${output}`);
  }
});
