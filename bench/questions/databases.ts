import { PostgresServer } from "../../tests/support/postgres/postgres_server.ts";
import { providePostgres } from "../../tools/provide/postgres.ts";
import type { Lab } from "../harness/lab.ts";
import { loadContest } from "../harness/load_contest.ts";
import type { PeerName } from "../harness/peers.ts";
import type { Contest, ContestHead, Question } from "../harness/question.ts";
import { seedSessions } from "../harness/servers/seeded_sessions.ts";
import { Unavailable } from "../harness/unavailable.ts";

const SESSIONS = 10_000;
const AT_ONCE = 16;

/** Long enough for every session to be used once. */
const WARM_UP_SECONDS = 12;

/** Short enough that no session is used twice. */
const FIRST_USE_SECONDS = 1.5;

/** A peer, its arguments, and the file of its cookies. */
type Gate = readonly [name: PeerName, args: readonly string[], cookies: string];

/** What does it cost to authenticate a socket, on each database? */
const databases: Question = {
  title: "Upgrades by database",
  about:
    "16 clients at a time open a socket, wait for the response, and close it with the closing " +
    "handshake, as browsers do. 10,000 users have a " +
    "session each; every upgrade sends the next one's cookie. Sluice checks the origin, looks up the " +
    "session and the user, and binds the socket to the session. `ws` on Node checks the origin, and " +
    "finds the session and its user with one query of `pg`: a prepared statement, with up to 10 " +
    "connections. PostgreSQL runs on the same machine, on any processor, and has the same number of " +
    "sessions for both. " +
    "Once with sessions that this process has seen, whose reads mostly come from the read cache, and " +
    "once with the first use of each session, so that nothing is cached.",
  isQuick: false,
  async contests(lab) {
    await providePostgres(lab.note).catch((error) => {
      throw new Unavailable(error instanceof Error ? error.message : String(error));
    });
    const server = await PostgresServer.start(["fsync=on"]);
    lab.defer(() => server[Symbol.asyncDispose]());
    const gates = await seedAll(lab, server.url());
    return Promise.all([seen(lab, gates), firstUse(lab, gates)]);
  },
};

export default databases;

async function seedAll(lab: Lab, postgres: string): Promise<Gate[]> {
  const onPostgres = await seedSessions(lab, SESSIONS, postgres);
  const sqlite = `sqlite:${onPostgres.folder}/db.sqlite`;
  const onSqlite = await seedSessions(lab, SESSIONS, sqlite);
  const onDeno = await seedSessions(lab, SESSIONS);
  return [
    ["ws, pg query", [postgres], onPostgres.cookies],
    ["Sluice, PostgreSQL", [postgres], onPostgres.cookies],
    ["Sluice on Node, PostgreSQL", ["gate", postgres], onPostgres.cookies],
    ["Sluice on Bun, PostgreSQL", ["gate", postgres], onPostgres.cookies],
    ["Sluice, SQLite", [sqlite], onSqlite.cookies],
    ["Sluice, Deno KV", [`${onDeno.folder}/kv.sqlite3`], onDeno.cookies],
  ];
}

const HEAD = {
  unit: "upgrades/s",
  better: "more",
  baseline: "ws, pg query",
} as const satisfies Omit<ContestHead, "id" | "title">;

function seen(lab: Lab, gates: readonly Gate[]): Promise<Contest> {
  return loadContest(lab, {
    ...HEAD,
    id: "databases",
    title: "Upgrades of users whose sessions the process has seen",
    targets: [{ of: "Sluice, PostgreSQL", against: "ws, pg query", ratio: 1.5 }],
  }, {
    kind: "upgrade",
    options: { in_flight: AT_ONCE, warmup: WARM_UP_SECONDS },
    entrants: gates.map(([name, args, cookies]) => [name, args, { cookies }]),
  });
}

function firstUse(lab: Lab, gates: readonly Gate[]): Promise<Contest> {
  return loadContest(lab, {
    ...HEAD,
    id: "databases_first",
    title: "Upgrades with the first use of each session",
  }, {
    kind: "upgrade",
    options: { in_flight: AT_ONCE, warmup: 0 },
    entrants: gates.map(([name, args, cookies]) => {
      return [name, args, { cookies, seconds: FIRST_USE_SECONDS }];
    }),
  });
}
