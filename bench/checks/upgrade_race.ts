/**
 * Does a ticket open exactly one socket? 8 connections at once present each of 1,000 tickets to two
 * processes of the app over one file. Exits with status 1 unless there are exactly 1,000 upgrades.
 *
 * `deno run -A bench/checks/upgrade_race.ts [tickets]`; requires `deno task build`.
 *
 * @module
 */
import { AppProcess } from "../../tests/support/app/app_process.ts";
import { WsClient } from "../../tests/support/app/ws_client.ts";

const [count = 1_000] = Deno.args.map(Number);
const RACERS = 8;
const AT_ONCE = 20;

const directory = await Deno.makeTempDir();
const env = {
  DENO_KV_PATH: `${directory}/kv.sqlite3`,
  SOCKETS_PER_USER: "100000",
  SOCKETS_PER_ADDRESS: "100000",
};
await using first = await AppProcess.start(env);
await using second = await AppProcess.start(env);
const ada = await first.signIn("ada");

async function askFor(): Promise<string> {
  const response = await ada.request("/api/tickets", {
    method: "POST",
    body: '{"path":"/ws/echo"}',
  });
  return (await response.json()).ticket;
}

const results = new Map<string, number>();
async function show(ticket: string, { origin }: AppProcess): Promise<void> {
  let result = "upgraded";
  try {
    const protocols = ["sluice.v1", `sluice.ticket.${ticket}`];
    using _socket = await WsClient.connect(`${origin.replace("http", "ws")}/ws/echo`, {
      protocols,
    });
  } catch (refused) {
    result = String((refused as { code?: string }).code ?? refused);
  }
  results.set(result, (results.get(result) ?? 0) + 1);
}

const since = performance.now();
for (let at = 0; at < count; at += AT_ONCE) {
  const tickets = await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - at) }, askFor));
  await Promise.all(
    tickets.flatMap((ticket) =>
      Array.from({ length: RACERS }, (_, n) => show(ticket, n % 2 ? first : second))
    ),
  );
}
const seconds = (performance.now() - since) / 1000;
console.log(`${count} tickets, ${RACERS} connections each, 2 processes, ${seconds.toFixed(1)} s`);
for (const [result, times] of results) console.log(`${result.padEnd(16)} ${times}`);
if (results.get("upgraded") !== count) Deno.exitCode = 1;
