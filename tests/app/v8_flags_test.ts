import { readFileSync } from "node:fs";
import { test } from "node:test";
import assert from "node:assert/strict";
import { V8_FLAGS } from "../../app/process/v8_flags.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("every way to serve the app uses the same V8 flags", () => {
  const { tasks, unstable } = JSON.parse(read("deno.json"));
  for (const task of ["start", "serve", "worker"]) assert.ok(tasks[task].includes(V8_FLAGS), task);
  assert.ok(unstable.includes("no-legacy-abort"));
  for (
    const path of ["deploy/Containerfile", "deploy/sluice.service", "docs/guides/deployment.md"]
  ) {
    assert.ok(read(path).includes(V8_FLAGS), path);
  }
});
