import { test } from "node:test";
import assert from "node:assert/strict";
import { applyDiff } from "../support/examples/apply_diff.ts";
import { matchesText, matchesValue } from "../support/examples/matches.ts";
import { PageReplay } from "../support/examples/page_replay.ts";

test("matchesText() compares text, with … for any part", () => {
  assert.ok(matchesText("a…c\n", "a b\nb c"));
  assert.ok(matchesText("(1+1)", "(1+1)\n"));
  assert.ok(!matchesText("a…c", "a b"));
  assert.ok(!matchesText("", "something"));
});

test("matchesValue() compares values, and refuses additional keys", () => {
  assert.ok(matchesValue({ a: "…", b: [1, "x…"] }, { b: [1, "xyz"], a: { c: 1 } }));
  assert.ok(matchesValue({ a: 1, "…": "…" }, { a: 1, b: 2 }));
  for (const value of [{}, { a: 1, b: 2 }, { a: 2 }, null, [1], "a"]) {
    assert.ok(!matchesValue({ a: 1 }, value), JSON.stringify(value));
  }
});

test("applyDiff() changes lines that occur once, and refuses others", () => {
  const text = "one\ntwo\nthree\nfour\n";
  const diff = " one\n+one and a half\n two\n@@\n-four\n";
  assert.equal(applyDiff(text, diff), "one\none and a half\ntwo\nthree\n");
  assert.throws(() => applyDiff(text, "-five\n"), /0 times/);
  assert.throws(() => applyDiff("one\none\n", "-one\n"), /2 times/);
});

const fence = (info: string, text: string) => `# A page\n\n\`\`\`${info}\n${text}\n\`\`\`\n`;
const WRONG: [what: string, page: string, why: RegExp][] = [
  ["another output", fence("console", "$ echo a\nb"), /^page\.md:3: \$ echo a\na\n\ninstead of\nb/],
  ["a diff that does not fit", fence("diff file=realtime.ts", "-nothing"), /0 times/],
  ["a file that does not compile", fence("ts file=a.ts", "const a: number = true;"), /TS2322/],
  ["another frame", fence("frames", "ada ↔ /ws/echo\nada → a\nada ← b"), /It received: a/],
  ["a socket that is refused", fence("frames", "anonymous ↔ /ws/echo"), /401 NOT_SIGNED_IN/],
];
for (const [what, page, why] of WRONG) {
  test(`PageReplay detects ${what} and names the place`, async () => {
    await using replay = await PageReplay.create();
    await assert.rejects(replay.playText("page.md", page).then(() => replay.start()), (error) => {
      assert.match(String((error as Error).message), why);
      return true;
    });
  });
}
