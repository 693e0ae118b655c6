import assert from "node:assert/strict";
import { test } from "node:test";
import { findCookies, parseCookies } from "../../lib/core/request_values.ts";
import { sessionCookie } from "../../lib/sessions/mod.ts";
import { sessionCookieName } from "../../lib/sessions/credential.ts";
import { deletedSessionCookie, serializeCookie } from "../../lib/sessions/cookie.ts";
import { OTHER_BLANKS } from "../support/malformed.ts";

const TABLE: [header: string | null, expected: Record<string, string>][] = [
  [null, {}],
  ["", {}],
  ["a=1", { a: "1" }],
  ["a=1; b=2", { a: "1", b: "2" }],
  ["a=1;b=2", { a: "1", b: "2" }],
  ["  a = 1 ;  b=2  ", { a: "1", b: "2" }],
  ['a="1 2"', { a: '"1 2"' }],
  ['a="1"', { a: '"1"' }],
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

test("parseCookies() trims SP and HTAB only, and keeps other white space", () => {
  for (const blank of [...OTHER_BLANKS, ..."\u1680\u2003\u2028\u3000\ufeff"]) {
    const header = ` \t${blank}a${blank}\t =\t ${blank}1${blank} \t; b=2`;
    const expected = [[`${blank}a${blank}`, `${blank}1${blank}`], ["b", "2"]];
    assert.deepEqual([...parseCookies(header)], expected, JSON.stringify(blank));
  }
});

test("findCookies() finds all values of a name in order, and nothing else", () => {
  for (const [header, expected] of TABLE) {
    for (const name of ["a", "b", "", "1", "a=1", "__proto__", "constructor", " a", "A"]) {
      assert.equal(
        findCookies(header, name, 5)[0],
        Object.entries(expected)
          .find(([each]) => each === name)?.[1],
        `${name} of ${header}`,
      );
    }
  }
  assert.deepEqual(findCookies("a=1; ab=2; a=3;a=; a ; =a; a=4", "a", 3), ["1", "3", ""]);
});

test("findCookies() finds a cookie after any number of others, of any size", () => {
  const many = Array.from({ length: 500 }, (_, at) => `c${at}=${"x".repeat(200)}`).join("; ");
  assert.equal(parseCookies(`${many}; a=1`).size, 501);
  assert.deepEqual(findCookies(`${many}; a=1`, "a", 5), ["1"]);
});

test("sessionCookie() is __Host- and Secure over https only", () => {
  assert.equal(
    sessionCookie("t", { secure: true, maxAgeSeconds: 10 }),
    "__Host-session=t; Path=/; Max-Age=10; HttpOnly; SameSite=Lax; Secure",
  );
  assert.equal(
    sessionCookie("t", { secure: false, maxAgeSeconds: 10 }),
    "session=t; Path=/; Max-Age=10; HttpOnly; SameSite=Lax",
  );
});

test("deletedSessionCookie() has no value and a Max-Age of 0", () => {
  assert.equal(
    deletedSessionCookie(true),
    `${sessionCookieName(true)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`,
  );
});

test("serializeCookie() refuses values that would inject an attribute or a header", () => {
  const options = { secure: false, maxAgeSeconds: 1 };
  for (const value of ["a; Domain=evil", "a\r\nSet-Cookie: b=1", "a b", 'a"', "ä", "a,b"]) {
    assert.throws(() => serializeCookie("name", value, options), TypeError, value);
  }
  for (const name of ["", "a b", "a=b", "a;b", "a\n"]) {
    assert.throws(() => serializeCookie(name, "v", options), TypeError, name);
  }
});
