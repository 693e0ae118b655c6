import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanText } from "../../lib/auth/_clean_text.ts";

const NOT_A_NAME: [what: string, text: string][] = [
  ["spaces", " \t\n\u00a0\u2003\u3000"],
  ["HANGUL FILLER and its relatives", "\u3164\u115f\u1160\uffa0"],
  ["BRAILLE PATTERN BLANK", "\u2800\u2800"],
  ["SOFT HYPHEN", "\u00ad"],
  ["COMBINING GRAPHEME JOINER", "\u034f"],
  ["zero-width characters", "\u200b\u200c\u200d\u2060\ufeff"],
  ["bidirectional controls", "\u202e\u2066\u2069\u200e\u200f\u061c"],
  ["tag characters", "\u{e0061}\u{e0064}\u{e007f}"],
  ["variation selectors", "\ufe00\ufe0f\u{e0100}\u180b"],
  ["marks without a letter", "\u0301".repeat(100)],
  ["marks after a joiner", "\u200d\u0301\ufe0f\u0301"],
  ["lone surrogates", "\ud800\udfff\ud800"],
  ["private use", "\ue000\u{f0000}"],
  ["unassigned and noncharacters", "\uffff\u{1fffe}\u0378"],
  ["OBJECT REPLACEMENT CHARACTER", "\ufffc"],
  ["other blank letters", "\u{16fe4}\u{13441}\u{1d159}"],
  ["interlinear annotations", "\ufff9\ufffa\ufffb"],
];
for (const [what, text] of NOT_A_NAME) {
  test(`cleanText() removes ${what}`, () => assert.equal(cleanText(text, 64), ""));
}

const CLEANED: [what: string, text: string, cleaned: string][] = [
  ["a soft hyphen", "ad\u00ada", "ada"],
  ["a zero-width space", "ad\u200ba", "ada"],
  ["a joiner between letters", "ad\u200da", "ada"],
  ["a selector after a letter", "ad\ufe0fa", "ada"],
  ["spaces around invisible characters", "ada \u200b \u2800 x", "ada x"],
  ["100 marks on a letter", `e${"\u0301".repeat(100)}`, "\u00e9\u0301\u0301\u0301\u0301"],
  [
    "marks with joiners between them",
    `e${"\u0301\u200d".repeat(100)}`,
    `\u00e9${"\u0301".repeat(4)}`,
  ],
  ["decomposed letters", "A\u030angstro\u0308m", "\u00c5ngstr\u00f6m"],
  ["an override", "\u202egnp.exe", "gnp.exe"],
  ["a joined emoji", "\u{1f469}\u{1f3fd}\u200d\u{1f4bb}", "\u{1f469}\u{1f3fd}\u200d\u{1f4bb}"],
  ["a heart on fire", "\u2764\ufe0f\u200d\u{1f525}", "\u2764\ufe0f\u200d\u{1f525}"],
  ["a Sinhala name", "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0dc1\u0dca\u200d\u0dbb\u0dd3"],
  [
    "a Burmese syllable",
    "\u1000\u103c\u103d\u103e\u1031\u1037",
    "\u1000\u103c\u103d\u103e\u1031\u1037",
  ],
  ["markup", "<b>Ada</b>", "<b>Ada</b>"],
];
for (const [what, text, cleaned] of CLEANED) {
  test(`cleanText() reduces ${what} to its visible text`, () =>
    assert.equal(cleanText(text, 64), cleaned));
}

test("cleanText() limits the result in code points, and splits no character", () => {
  assert.equal(cleanText("\u{1f600}".repeat(200), 100), "\u{1f600}".repeat(100));
  assert.equal(cleanText(`${"\u200b".repeat(500)}${"x".repeat(200)}`, 100), "x".repeat(100));
  assert.equal(cleanText("\u{1f469}\u200d\u{1f4bb}", 2), "\u{1f469}");
});

test("cleanText() is idempotent for any input", () => {
  const pieces = [
    ...NOT_A_NAME.flatMap(([, text]) => [...text.slice(0, 8)]),
    ...CLEANED.flatMap(([, text]) => [...text.slice(0, 8)]),
  ];
  let seed = 1;
  const next = (below: number) => (seed = seed * 48_271 % 2_147_483_647) % below;
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: next(24) }, () => pieces[next(pieces.length)]).join("");
    const once = cleanText(text, 16);
    assert.equal(cleanText(once, 16), once, JSON.stringify(text));
    assert.ok(once.isWellFormed() && once === once.normalize("NFC"), JSON.stringify(text));
    assert.doesNotMatch(once, /[\u00ad\u200b\u2800\u3164\u202e\p{Cs}\p{Cc}]|^\p{M}|\p{Mn}{5}/u);
  }
});

test("cleanText() has a bounded cost for long texts", () => {
  for (const piece of ["\u0301\u0316", "\ufe0f", "\u{1f600}\u200d", " "]) {
    assert.ok([...cleanText(`x${piece.repeat(500_000)}`, 64)].length <= 64);
  }
});
