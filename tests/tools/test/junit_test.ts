import { test } from "node:test";
import assert from "node:assert/strict";
import { countTests, NONE, sum } from "../../../tools/test/junit.ts";

const failure = (message: string) => `<failure message="${message}">${message}</failure>`;
const testcase = (name: string, body = "") =>
  `<testcase name="${name}" classname="./a_test.ts" time="0.001">\n${body}</testcase>\n`;

test("countTests() counts passed, failed and skipped tests", () => {
  const junit = testcase("a") + testcase("b", failure("no")) + testcase("c", "<skipped/>");
  assert.deepEqual(countTests(junit), { passed: 1, failed: 1, skipped: 1 });
});

test("countTests() counts steps, and not the test that contains them", () => {
  const junit = testcase("group", failure("1 test step failed")) +
    testcase("group &gt; a") + testcase("group &gt; b", failure("no")) +
    testcase("deep") + testcase("deep &gt; er") + testcase("deep &gt; er &gt; est");
  assert.deepEqual(countTests(junit), { passed: 2, failed: 1, skipped: 0 });
});

test("countTests() counts a test with steps if it failed itself", () => {
  const junit = testcase("group", failure("a bug after the last step")) +
    testcase("group &gt; a");
  assert.deepEqual(countTests(junit), { passed: 1, failed: 1, skipped: 0 });
});

test("countTests() returns zeros for an empty report", () => {
  assert.deepEqual(countTests('<testsuites tests="0"></testsuites>'), NONE);
});

test("sum() adds up", () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  assert.deepEqual(sum([one, NONE, one]), { passed: 2, failed: 4, skipped: 6 });
  assert.deepEqual(sum([]), NONE);
});
