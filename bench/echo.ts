/**
 * What a message costs that goes through a consumer, a validator and a handler table, beside bare Deno.
 *
 * `deno run -A bench/echo.ts [rounds] [seconds]`
 *
 * @module
 */
import { besideBare } from "./support/beside_bare.ts";

await besideBare("echo", { title: "Echo", unit: "messages", connections: 100 });
