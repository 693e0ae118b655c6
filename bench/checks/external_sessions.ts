/**
 * What sessions of an application cost: how soon the sockets of two servers close after `ended()`, what
 * a handshake costs besides `identify()`, and how much memory a million ended sessions take.
 *
 * `deno task bench external_sessions [--quick]`. The servers share a process, so the figures are those
 * of the toolkit, without the network between two machines. Exits with status 1 if a socket took more
 * than a second.
 *
 * @module
 */
import {
  Consumer,
  ExternalSessions,
  MemoryChannelLayer,
  origins,
  requireUser,
  route,
  stack,
  toHandler,
} from "@sluice/sluice";
import { type KeyValue, MemoryKeyValue } from "@sluice/sluice/kv";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { startServer } from "@sluice/sluice/testing";
import { WsClient } from "../../tests/support/app/ws_client.ts";

const isQuick = Deno.args.includes("--quick");
const SOCKETS = isQuick ? 20 : 1_000;
const ROUNDS = isQuick ? 3 : 20;
const HANDSHAKES = isQuick ? 500 : 20_000;
const ENDED = isQuick ? 10_000 : 1_000_000;

class Silent extends Consumer {}

interface Shared {
  readonly kv?: KeyValue;
  readonly layer?: MemoryChannelLayer;
}

function createSessions(shared: Shared): ExternalSessions {
  return new ExternalSessions({
    identify: ({ headers }) => {
      const sessionId = headers.get("cookie");
      if (sessionId === null) return undefined;
      return { sessionId, userId: "ada", expiresAt: Date.now() + 3_600_000 };
    },
    ...shared,
  });
}

function createHandler(sessions: ExternalSessions) {
  const gate = stack().use(origins()).use(sessions.session()).use(requireUser());
  return toHandler(gate.routes([route("/ws", Silent)]), { freshness: sessions.freshness });
}

/** Returns the milliseconds from the call of `ended()` until each socket has closed. */
async function closeAll(shared: Shared, round: number): Promise<number[]> {
  using here = createSessions(shared);
  using there = createSessions(shared);
  await using first = startServer(createHandler(here));
  await using second = startServer(createHandler(there));
  const sid = `session-${round}`;
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, (_, n) => {
    const { url, wsUrl } = n % 2 === 0 ? first : second;
    return WsClient.connect(`${wsUrl}/ws`, { headers: { cookie: sid, origin: url } });
  }));
  await new Promise((resolve) => setTimeout(resolve, 300)); // The log has been read once.
  const startedAt = performance.now();
  const closing = sockets.map(async (socket) => {
    await socket.closed;
    return performance.now() - startedAt;
  });
  await here.ended(sid);
  return await Promise.all(closing);
}

/** Returns the microseconds of one handshake that would be accepted. */
async function timeHandshake(shared: Shared): Promise<number> {
  using sessions = createSessions(shared);
  const handler = createHandler(sessions);
  const headers = { origin: "http://localhost", cookie: "s1" };
  const startedAt = performance.now();
  for (let n = 0; n < HANDSHAKES; n++) {
    const response = await handler(new Request("http://localhost/ws", { headers }));
    if (response.status !== 426) throw new Error(`Refused with ${response.status}`);
    await response.body?.cancel();
  }
  return (performance.now() - startedAt) * 1_000 / HANDSHAKES;
}

const folder = await Deno.makeTempDir();
const ways: readonly (readonly [name: string, share: () => Shared])[] = [
  ["a layer", () => ({ layer: new MemoryChannelLayer() })],
  ["SQLite", () => ({ kv: new SqliteKeyValue(`${folder}/ends.sqlite`) })],
];
for (const [name, share] of ways) {
  const shared = share();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) times.push(...await closeAll(shared, round));
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.ceil(part * times.length) - 1]!.toFixed(0);
  console.log(
    `${SOCKETS} sockets on 2 servers with ${name}, ms after ended(): ` +
      `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`,
  );
  if (times.at(-1)! > 1_000) Deno.exitCode = 1;
  await shared.kv?.close();
}

const databases: readonly (readonly [name: string, shared: Shared])[] = [
  ["no database", {}],
  ["a database in memory", { kv: new MemoryKeyValue() }],
  ["SQLite", { kv: new SqliteKeyValue(`${folder}/handshakes.sqlite`) }],
];
for (const [name, shared] of databases) {
  console.log(`a handshake with ${name}: ${(await timeHandshake(shared)).toFixed(1)} µs`);
  await shared.kv?.close();
}

const before = Deno.memoryUsage().heapUsed;
const sessions = createSessions({});
for (let n = 0; n < ENDED; n++) await sessions.ended(crypto.randomUUID());
const grown = (Deno.memoryUsage().heapUsed - before) / 1_048_576;
console.log(`${ENDED} ended sessions: the heap grew by ${grown.toFixed(0)} MiB, garbage included`);
sessions.close();
await Deno.remove(folder, { recursive: true });
