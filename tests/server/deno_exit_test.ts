import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../tools/provide/programs.ts";

/** Sends itself two signals, with a `Deno.exit()` that throws as under `deno run --watch`. */
const PROGRAM = `
import { serve } from "@sluice/sluice/deno";
const { exit } = Deno;
Deno.exit = (code) => {
  console.log("exit", code);
  if (code === 130) setTimeout(() => exit(0), 0);
  throw new Error("Code not reachable");
};
const drain = () => new Promise(() => Deno.kill(Deno.pid, "SIGINT"));
serve(() => new Response(), {
  port: 0,
  drain,
  onListen: () => Deno.kill(Deno.pid, "SIGINT"),
});
`;

test("serve() of Deno logs no error if Deno.exit() throws, as it does under --watch", async () => {
  const { success, output } = await run(Deno.execPath(), ["eval", PROGRAM], {
    cwd: new URL("../..", import.meta.url).pathname,
    env: { NO_COLOR: "1" },
    timeoutMs: 60_000,
  });
  assert.ok(success, output);
  assert.match(output, /exit 130/);
  assert.doesNotMatch(output, /Unhandled|Uncaught/);
});
