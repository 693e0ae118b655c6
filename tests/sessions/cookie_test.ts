import assert from "node:assert/strict";
import { test } from "node:test";
import { findCookie } from "../../lib/protocol/mod.ts";
import {
  deletedSessionCookie,
  parseCookies,
  serializeCookie,
  sessionCookie,
  sessionCookieName,
} from "../../lib/sessions/mod.ts";

const TABLE: [header: string | null, expected: Record<string, string>][] = [
  [null, {}],
  ["", {}],
  ["a=1", { a: "1" }],
  ["a=1; b=2", { a: "1", b: "2" }],
  ["a=1;b=2", { a: "1", b: "2" }],
  ["  a = 1 ;  b=2  ", { a: "1", b: "2" }],
  ['a="1 2"', { a: "1 2" }],
  ['a="', { a: '"' }],
  ["a=b=c==", { a: "b=c==" }],
  ["a=", { a: "" }],
  ["a", {}],
  ["=a", {}],
  [";;; ;a=1;;", { a: "1" }],
  ["a=1; a=2", { a: "1" }],
  ["a=%00%ff", { a: "%00%ff" }],
  ["__proto__=1; constructor=2", Object.fromEntries([["__proto__", "1"], ["constructor", "2"]])],
];

test("parseCookies() reads what browsers send and survives the rest", () => {
  for (const [header, expected] of TABLE) {
    assert.deepEqual([...parseCookies(header)], Object.entries(expected), String(header));
  }
});

test("findCookie() finds what parseCookies() has, and nothing else", () => {
  const many = Array.from({ length: 120 }, (_, at) => `c${at}=1`).join("; ");
  const headers = [...TABLE.map(([header]) => header), many, `a=${"x".repeat(16_384)}`];
  const names = ["a", "b", "", "1", "a=1", "__proto__", "constructor", "c99", "c100", " a", "A"];
  for (const header of headers) {
    const cookies = parseCookies(header);
    for (const name of names) {
      assert.equal(findCookie(header, name), cookies.get(name), `${name} of ${header}`);
    }
  }
});

test("parseCookies() looks at 16,384 characters and 100 cookies at most", () => {
  assert.equal(parseCookies(`a=${"x".repeat(16_384)}`).size, 0);
  const many = Array.from({ length: 500 }, (_, at) => `c${at}=1`).join("; ");
  assert.equal(parseCookies(many).size, 100);
});

test("sessionCookie() is __Host- and Secure over https, and neither else", () => {
  assert.equal(
    sessionCookie("t", { secure: true, maxAgeSeconds: 10 }),
    "__Host-session=t; Path=/; Max-Age=10; HttpOnly; SameSite=Lax; Secure",
  );
  assert.equal(
    sessionCookie("t", { secure: false, maxAgeSeconds: 10 }),
    "session=t; Path=/; Max-Age=10; HttpOnly; SameSite=Lax",
  );
});

test("deletedSessionCookie() has no value and no time left", () => {
  assert.equal(
    deletedSessionCookie(true),
    `${sessionCookieName(true)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`,
  );
});

test("serializeCookie() refuses what would write a second attribute or header", () => {
  const options = { secure: false, maxAgeSeconds: 1 };
  for (const value of ["a; Domain=evil", "a\r\nSet-Cookie: b=1", "a b", 'a"', "ä", "a,b"]) {
    assert.throws(() => serializeCookie("name", value, options), TypeError, value);
  }
  for (const name of ["", "a b", "a=b", "a;b", "a\n"]) {
    assert.throws(() => serializeCookie(name, "v", options), TypeError, name);
  }
});
