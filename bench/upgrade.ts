/**
 * What it costs to know who opens a socket: upgrades a second with a look-up of the session, or with a
 * ticket, beside the same gate without any, and beside bare Deno.
 *
 * `deno run -A bench/upgrade.ts [rounds] [upgrades]`
 *
 * @module
 */
import { once } from "node:events";
import { connect } from "node:net";

const [rounds = 5, upgrades = 3_000] = Deno.args.map(Number);
const CONCURRENCY = 16;
const KINDS = ["bare", "gate", "cookie", "ticket"] as const;
type Kind = typeof KINDS[number];

interface Contestant {
  readonly port: number;
  readonly cookie: string;
  readonly tickets: string[];
}

/** Opens one socket, waits for the 101, and hangs up. */
async function upgrade({ port, cookie }: Contestant, ticket: string | undefined): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const lines = [
    "GET /ws/echo HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ticket === undefined
      ? `Cookie: ${cookie}`
      : `Sec-WebSocket-Protocol: sluice.v1, sluice.ticket.${ticket}`,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const [head] = await once(socket, "data");
  socket.destroy();
  if (!String(head).startsWith("HTTP/1.1 101")) throw new Error(`Refused: ${String(head)}`);
}

async function measure(kind: Kind): Promise<number> {
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("peers/upgrade_server.ts", import.meta.url).pathname,
      kind,
    ]
      .concat(String(upgrades)),
    stdout: "piped",
  }).spawn();
  try {
    const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.includes("\n")) line += (await reader.read()).value ?? "";
    await reader.cancel();
    const contestant: Contestant = JSON.parse(line);
    let left = upgrades;
    const since = performance.now();
    const work = async () => {
      while (left-- > 0) await upgrade(contestant, contestant.tickets.pop());
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    return upgrades / (performance.now() - since) * 1000;
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
}

const results = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
for (let round = 0; round < rounds; round++) {
  // In turn, so that what else the machine does hits all of them.
  for (const kind of KINDS) results.get(kind)!.push(await measure(kind));
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const base = median(results.get("bare")!);
console.log(`${upgrades} upgrades, ${CONCURRENCY} at once, median of ${rounds} rounds`);
for (const [kind, values] of results) {
  const perSecond = median(values);
  const spread = `${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))}`;
  const share = Math.round(perSecond / base * 100);
  console.log(
    `${kind.padEnd(8)} ${String(Math.round(perSecond)).padStart(6)}/s  ${share} %  (${spread})`,
  );
}
