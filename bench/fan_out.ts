/**
 * What a publish to 1,000 readers costs, beside bare Deno.
 *
 * `deno run -A bench/fan_out.ts [rounds] [seconds]`
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
    "fan-out",
  ],
}));
const payload = JSON.stringify({ type: "say", data: { by: 0, text: "x".repeat(65) } });

for (const inFlight of [1, 8]) {
  await contest({
    title: `Fan-out to 1,000 readers, ${inFlight} publishes in flight`,
    unit: "deliveries",
    load: {
      kind: "fan-out",
      path: "/",
      connections: 1000,
      inFlight,
      payload,
      protocol: "sluice.v1",
    },
    peers,
    baseline: "bare_deno",
  }, { rounds, seconds });
}
