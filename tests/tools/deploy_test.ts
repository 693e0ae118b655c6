import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { matchesGlob } from "node:path";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** The patterns of `.dockerignore`, without comments. */
const ignored = read(".dockerignore").split("\n").filter((line) => /^[^#]/.test(line));

/** Returns whether a path, or one of its folders, is excluded from the image. */
function isIgnored(path: string): boolean {
  const parts = path.split("/");
  const folders = parts.map((_, end) => parts.slice(0, end + 1).join("/"));
  return folders.some((folder) => ignored.some((pattern) => matchesGlob(folder, pattern)));
}

test("the container image contains no data, settings or history of the machine", () => {
  const secret = [
    ".data/kv.sqlite3",
    ".git/config",
    ".env",
    ".env.production",
    "sluice.env",
    "kv.sqlite3",
    "kv.sqlite3-wal",
    "redis-ca.pem",
    "deploy/.env",
    "node_modules/esbuild/package.json",
    "_fresh/server.js",
  ];
  assert.deepEqual(secret.filter((path) => !isIgnored(path)), []);
  const needed = [
    "deno.json",
    "deno.lock",
    "dev.ts",
    "app/process/serve.ts",
    "static/favicon.svg",
    "lib/mod.ts",
  ];
  assert.deepEqual(needed.filter(isIgnored), []);
});

test("the container runs as a non-root user, with its own data folder", () => {
  const lines = read("deploy/Containerfile").split("\n");
  const last = lines.findLastIndex((line) => line.startsWith("USER "));
  assert.equal(lines[last], "USER deno");
  assert.ok(last < lines.findIndex((line) => line.startsWith("CMD ")));
  assert.match(lines.join("\n"), /mkdir -p -m 700 \/data && chown deno:deno \/data/);
});

test("the systemd unit and the guide protect the database from other users of the machine", () => {
  for (const path of ["deploy/sluice.service", "docs/guides/deployment.md"]) {
    for (const line of ["UMask=0077", "StateDirectoryMode=0700"]) {
      assert.ok(read(path).split("\n").includes(line), `${path}: ${line}`);
    }
  }
});
