import { test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  checkConformance,
  checkPage,
  checkUpstream,
} from "../../support/conformance/upstream/check_upstream.ts";

test("docs/channels.md agrees with the conformance tests", async () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  assert.deepEqual(await checkConformance(root), []);
});

test("checkUpstream() finds unstated tests and unknown names", () => {
  const problems = checkUpstream({
    upstream: new Set(["channels/a.py::test_b"]),
    beyond: new Set(),
  });
  assert.ok(problems.includes("channels/a.py::test_b is not an upstream test"));
  assert.ok(
    problems.includes("channels/test_routing.py::test_url_router is neither stated nor excused"),
  );
});

test("checkPage() finds rows without a test, or with an unknown one", () => {
  const page = [
    "| Channels | here | what differs | test |",
    "| --- | --- | --- | --- |",
    "| `a` | `b` | nothing | `test_a` |",
    "| `c` | `d` | nothing | |",
    "| `e` | – | no meaning | |",
    "| `f` | `g` | nothing | **row** |",
  ].join("\n");
  const upstream = new Set(["channels/x.py::test_b"]);
  const problems = checkPage(page, { upstream, beyond: new Set(["other row"]) });
  for (
    const part of ["no test states test_a", "the row `c`", "no further test: row", "other row"]
  ) {
    assert.ok(problems.some((problem) => problem.includes(part)), part);
  }
  assert.ok(!problems.some((problem) => problem.includes("`e`")));
});
