import assert from "node:assert/strict";
import { test } from "node:test";
import { readArguments } from "../../app/process/start_arguments.ts";

for (
  const [args, command, processes] of [
    [[], "dev", 1],
    [["start"], "start", 1],
    [["serve", "--processes", "2"], "serve", 2],
    [["serve", "--processes=256"], "serve", 256],
    [["serve", "--reuse-port"], "serve", 1],
    [["serve", "--", "--processes", "3"], "serve", 3],
  ] as const
) {
  test(`readArguments() accepts "${args.join(" ")}"`, () => {
    assert.deepEqual(readArguments(args), { command, processes });
  });
}

for (
  const [args, message] of [
    [["serve", "--process", "2"], '"--process" is unknown: serve accepts --processes N.'],
    [["serve", "2"], '"2" is unknown: serve accepts --processes N.'],
    [["start", "--processes", "2"], '"--processes" is unknown: start accepts no arguments.'],
    [["serve", "--processes", "0"], '--processes is "0", but accepts 1 to 256.'],
    [["serve", "--processes"], '--processes is "", but accepts 1 to 256.'],
    [["serve", "--processes", "-1"], '--processes is "-1", but accepts 1 to 256.'],
  ] as const
) {
  test(`readArguments() refuses "${args.join(" ")}"`, () => {
    assert.throws(() => readArguments(args), { name: "SettingError", message });
  });
}
