/**
 * What a publish to 1,000 readers costs, beside bare Deno.
 *
 * `deno run -A bench/fan_out.ts [rounds] [seconds]`
 *
 * @module
 */
import { besideBare } from "./support/beside_bare.ts";

await besideBare("fan-out", { title: "Fan-out", unit: "deliveries", connections: 1000 });
