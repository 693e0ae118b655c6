/**
 * What a message costs that goes through a consumer, a validator and a handler table, beside bare Deno.
 *
 * `deno run -A bench/echo.ts [rounds] [seconds]`
 *
 * @module
 */
import { contest } from "./support/contest.ts";

const [rounds = 5, seconds = 3] = Deno.args.map(Number);
const deno = Deno.execPath();
const peers = ["bare_deno", "sluice"].map((name) => ({
  name,
  command: [
    deno,
    "run",
    "-A",
    "--no-check",
    new URL(`peers/${name}.ts`, import.meta.url).pathname,
    "echo",
  ],
}));
const payload = JSON.stringify({ type: "say", data: { by: 0, text: "x".repeat(65) } });

for (const inFlight of [1, 8]) {
  await contest({
    title: `Echo of ${payload.length} B of JSON, 100 connections, ${inFlight} in flight`,
    unit: "messages",
    load: { kind: "echo", path: "/", connections: 100, inFlight, payload, protocol: "sluice.v1" },
    peers,
    baseline: "bare_deno",
  }, { rounds, seconds });
}
