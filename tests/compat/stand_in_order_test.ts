import assert from "node:assert/strict";
import { isFileName } from "../../compat/fresh/dev/memory_snapshot.ts";
import { filePathToPattern, patternFolders } from "../../compat/fresh/routing/patterns.ts";
import { compareRouteFiles } from "../../compat/fresh/routing/route_order.ts";
import { standInTest as test } from "../support/compat/fresh_app.ts";

const IN_ORDER = [
  "/_app",
  "/_middleware",
  "/_404",
  "/_layout",
  "/_error",
  "/index",
  "/about/index",
  "/about/team",
  "/about/[id]/edit",
  "/about/[id]",
  "/about/[...rest]",
  "/aboutus",
  "/about",
  "/(group)/_layout",
  "/(group)/page",
  "/[slug]",
  "/[...rest]",
];

test("compareRouteFiles() sorts files by precedence, from any order", () => {
  for (const found of [IN_ORDER, IN_ORDER.toReversed(), IN_ORDER.toSorted()]) {
    assert.deepEqual(found.toSorted(compareRouteFiles), IN_ORDER);
  }
});

const PATTERNS: [path: string, pattern: string, withGroups?: string][] = [
  ["index", "/"],
  ["blog/index", "/blog"],
  ["blog/[id]", "/blog/:id"],
  ["[id]@[host]", "/:id@:host"],
  ["[...all]", "/:all*"],
  ["[[page]]", "/{:page}?"],
  ["blog/[[page]]", "/blog{/:page}?"],
  ["(group)/index", "/", "/(group)"],
  ["(group)/about", "/about", "/(group)/about"],
  ["(group)/[[page]]", "/{:page}?", "/(group){/:page}?"],
];

for (const [path, pattern, withGroups = pattern] of PATTERNS) {
  test(`filePathToPattern() converts ${path} to ${pattern}`, () => {
    assert.equal(filePathToPattern(path), pattern);
    assert.equal(filePathToPattern(path, true), withGroups);
  });
}

for (const path of ["[a][b]", "a-[[b]]", "[[a]]-b", "[a", "a]"]) {
  test(`filePathToPattern() refuses ${path}`, () => {
    assert.throws(() => filePathToPattern(path), SyntaxError);
  });
}

test("patternFolders() returns the folders of a pattern without optional parts", () => {
  assert.deepEqual(patternFolders("*", true), []);
  assert.deepEqual(patternFolders("/a/b", false), ["a"]);
  assert.deepEqual(patternFolders("/a/b", true), ["a", "b"]);
  assert.deepEqual(patternFolders("/a/", false), ["a"]);
  assert.deepEqual(patternFolders("/a{/:b}?/c", false), ["a"]);
});

test("isFileName() refuses paths outside the directory and hidden names", () => {
  for (const name of ["..", ".", "a/b", "a\\b", "a\0", ".env"]) assert.ok(!isFileName(name), name);
  for (const name of ["a.txt", ".well-known", "a..b"]) assert.ok(isFileName(name), name);
});
