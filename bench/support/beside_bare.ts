import { contest } from "./contest.ts";

/** A message of 105 bytes, as the load sends it. */
const PAYLOAD = JSON.stringify({ type: "say", data: { by: 0, text: "x".repeat(65) } });

/** Asks a question of Sluice and of bare Deno, with one and with eight messages in flight. */
export async function besideBare(
  kind: "echo" | "fan-out",
  question: { readonly title: string; readonly unit: string; readonly connections: number },
): Promise<void> {
  const [rounds = 5, seconds = 3] = Deno.args.map(Number);
  const peers = ["bare_deno", "sluice"].map((name) => {
    const script = new URL(`../peers/${name}.ts`, import.meta.url).pathname;
    return { name, command: [Deno.execPath(), "run", "-A", "--no-check", script, kind] };
  });
  const { title, unit, connections } = question;
  for (const inFlight of [1, 8]) {
    await contest({
      title:
        `${title}, ${PAYLOAD.length} B of JSON, ${connections} connections, ${inFlight} in flight`,
      unit,
      load: { kind, path: "/", connections, inFlight, payload: PAYLOAD, protocol: "sluice.v1" },
      peers,
      baseline: "bare_deno",
    }, { rounds, seconds });
  }
}
