import assert from "node:assert/strict";
import { test } from "node:test";
import { safeReturnTo } from "../../../lib/auth/oauth/return_to.ts";

const ORIGIN = "https://app.example.com";

const KEPT = [
  "/",
  "/rooms/lobby",
  "/rooms/lobby?tab=1&x=%2F%2Fevil.example#top",
  "/?next=https://evil.example",
  "/r%C3%A4ume/caf%C3%A9",
  "/a/b/../c",
  "/100%25",
  "/@user:x",
];

const IGNORED: (string | null)[] = [
  null,
  "",
  "rooms",
  "//evil.example",
  "///evil.example",
  "////evil.example",
  "/\\evil.example",
  "\\/evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/\r\n/evil.example",
  "\t//evil.example",
  " //evil.example",
  "/\u0000/evil.example",
  "https://evil.example",
  "HTTPS://evil.example",
  "https:evil.example",
  "https:///evil.example",
  "http://app.example.com/",
  "https://app.example.com/",
  "https://app.example.com@evil.example/",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "data:text/html,x",
  "blob:https://evil.example/x",
  "/.//evil.example",
  "/x/..//evil.example",
  "/%2e//evil.example",
  "/%2e%2e//evil.example",
  "/%2f%2fevil.example",
  "/%2F/evil.example",
  "/%5cevil.example",
  "/%5C%5Cevil.example",
  "/%255cevil.example",
  "/%252f/evil.example",
  "/%09/evil.example",
  "/%0d%0aSet-Cookie:x=1",
  "/a\u2028b",
  `/${"x".repeat(3000)}`,
];

test("safeReturnTo() keeps paths on this site", () => {
  for (const value of KEPT) {
    const kept = safeReturnTo(value, ORIGIN);
    assert.equal(kept, new URL(value, ORIGIN).href.slice(ORIGIN.length), value);
  }
});

test("safeReturnTo() ignores everything else", () => {
  for (const value of IGNORED) {
    assert.equal(safeReturnTo(value, ORIGIN), "/", JSON.stringify(value));
  }
});

const FRIEND = "https://friend.example";
const RETURN_ORIGINS = [
  FRIEND,
  "http://localhost:5173",
  "https://.sub.example",
  ".dot.example",
  "*",
];

const PAGES: [value: string, page: string][] = [
  [FRIEND, `${FRIEND}/`],
  ["HTTPS://Friend.Example:443/a/../b?x=1#y", `${FRIEND}/b?x=1#y`],
  [
    "http://localhost:5173/?return_to=//evil.example",
    "http://localhost:5173/?return_to=//evil.example",
  ],
];

test("safeReturnTo() keeps pages of the listed origins", () => {
  for (const [value, page] of PAGES) {
    assert.equal(safeReturnTo(value, ORIGIN, RETURN_ORIGINS), page);
    assert.equal(safeReturnTo(value, ORIGIN), "/", "by default there are none");
  }
});

const FOREIGN = [
  ...IGNORED,
  "https://friend.example@evil.example/",
  "https://ada@friend.example/",
  "https://ada:secret@friend.example/",
  "https://friend.example.evil.example/",
  "https://evilfriend.example/",
  "https://sub.friend.example/",
  "https://friend.example:444/",
  "http://friend.example/",
  "https:friend.example/",
  "https:/friend.example/",
  "https:///friend.example/",
  "https:\\\\friend.example/",
  "https://friend.example\\@evil.example/",
  "https://friend.example\t.evil.example/",
  "\thttps://friend.example/",
  " https://friend.example/",
  "ht\ntps://friend.example/",
  "https://friend.example/\r\nx",
  "https%3A%2F%2Ffriend.example/",
  "https://friend%2eexample%2f@evil.example/",
  "https://friend.example%00.evil.example/",
  "//friend.example/",
  "friend.example",
  "https://",
  "https://sub.example/",
  "https://a.sub.example/",
  "https://.sub.example/",
  "https://dot.example/",
  "https://*/",
  "http://localhost:5173@evil.example/",
  "http://127.0.0.1:5173/",
  "http://localhost:51730/",
  "blob:https://friend.example/x",
  `${FRIEND}/${"x".repeat(3000)}`,
];

test("safeReturnTo() ignores pages of every other origin", () => {
  for (const value of FOREIGN) {
    const path = safeReturnTo(value, ORIGIN, RETURN_ORIGINS);
    assert.equal(path, "/", JSON.stringify(value));
  }
});

test("safeReturnTo() never leaves the site for any input", () => {
  const pieces = [
    "/",
    "\\",
    ".",
    "..",
    "%2f",
    "%5c",
    "%2e",
    "evil.example",
    "@",
    ":",
    "?",
    "#",
    "\t",
  ];
  for (let seed = 0; seed < 20_000; seed++) {
    let value = seed % 3 === 0 ? "" : "/";
    for (let rest = seed * 7919; rest > 0; rest = Math.floor(rest / pieces.length)) {
      value += pieces[rest % pieces.length];
    }
    const url = new URL(safeReturnTo(value, ORIGIN), ORIGIN);
    assert.equal(url.origin, ORIGIN, value);
    const page = `${seed % 2 ? FRIEND : "https:"}${value}`;
    const target = new URL(safeReturnTo(page, ORIGIN, [FRIEND]), ORIGIN);
    assert.ok(target.origin === ORIGIN || target.origin === FRIEND, page);
  }
});
