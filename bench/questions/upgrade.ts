import type { Lab } from "../harness/lab.ts";
import { loadContest } from "../harness/load_contest.ts";
import type { Contest, Question } from "../harness/question.ts";
import { type SeededSessions, seedSessions } from "../harness/servers/seeded_sessions.ts";

const SESSIONS = 10_000;
const AT_ONCE = 16;

/** Long enough for every session to be used once. */
const WARM_UP_SECONDS = 6;

/** What does it cost to authenticate a socket, and to refuse others? */
const upgrade: Question = {
  title: "Upgrades",
  about:
    "16 clients at a time open a socket, wait for the response, and close it with the closing " +
    "handshake, as browsers do. 10,000 users have a " +
    "session each in Deno KV; every upgrade sends the next one's cookie. Sluice checks the origin, " +
    "looks up the session and the user, and binds the socket to the session. Each session was used " +
    "once before, so most reads come from the read cache. A made-up session is refused by its tag " +
    "without a look-up. Bare Deno looks up nothing, or makes one `get`. Socket.IO has all sessions in " +
    "a Map, and is connected to as by its own clients.",
  isQuick: true,
  async contests(lab) {
    const sessions = await seedSessions(lab, SESSIONS);
    const madeUp = `${sessions.folder}/made_up.txt`;
    const cookies = await Deno.readTextFile(sessions.cookies);
    await Deno.writeTextFile(madeUp, makeUp(cookies));
    const sqlite = `sqlite:${sessions.folder}/db.sqlite`;
    const { cookies: onSqlite } = await seedSessions(lab, SESSIONS, sqlite);
    return Promise.all([
      letIn(lab, sessions),
      onRuntimes(lab, sqlite.slice("sqlite:".length), onSqlite),
      refused(lab, sessions),
      refusedUnread(lab, sessions, madeUp),
    ]);
  },
};

export default upgrade;

/** Changes one character of every id, so that no server has issued the tokens. */
function makeUp(cookies: string): string {
  return cookies.replaceAll(/(?<==.{7})./gm, (digit) => digit === "A" ? "B" : "A");
}

function letIn(lab: Lab, { folder, cookies }: SeededSessions): Promise<Contest> {
  return loadContest(lab, {
    id: "upgrade",
    title: "Upgrades of people who are signed in",
    unit: "upgrades/s",
    better: "more",
    baseline: "bare Deno, KV get",
    targets: [
      { of: "Sluice, signed in", against: "bare Deno, KV get", ratio: 1.5 },
      { of: "Sluice, signed in", against: "bare Deno", ratio: 0.6 },
      { of: "Sluice, signed in", against: "Socket.IO", ratio: 4.5 },
    ],
  }, {
    kind: "upgrade",
    options: { in_flight: AT_ONCE, cookies, warmup: WARM_UP_SECONDS },
    entrants: [
      ["bare Deno", ["gate"]],
      ["bare Deno, set like Sluice", ["gate"]],
      ["bare Deno, KV get", ["gate-kv", `${folder}/kv.sqlite3`]],
      ["Sluice, signed in", [`${folder}/kv.sqlite3`]],
      ["Socket.IO", ["gate", cookies]],
    ],
  });
}

function onRuntimes(lab: Lab, file: string, cookies: string): Promise<Contest> {
  return loadContest(lab, {
    id: "upgrade_runtimes",
    title: "Upgrades of people who are signed in, on each runtime, with sessions in SQLite",
    unit: "upgrades/s",
    better: "more",
    baseline: "bare Deno",
    targets: [],
  }, {
    kind: "upgrade",
    options: { in_flight: AT_ONCE, cookies, warmup: WARM_UP_SECONDS },
    entrants: [
      ["bare Deno", ["gate"]],
      ["Sluice, SQLite", [`sqlite:${file}`]],
      ["ws", ["echo"]],
      ["Sluice on Node", ["gate", file]],
      ["Bun", ["echo"]],
      ["Sluice on Bun", ["gate", file]],
    ],
  });
}

function refused(lab: Lab, { folder, cookies }: SeededSessions): Promise<Contest> {
  return loadContest(lab, {
    id: "upgrade_refused",
    title: "Upgrades without a session, refused",
    unit: "refusals/s",
    better: "more",
    baseline: "bare Deno",
    targets: [{ of: "Sluice, signed in", against: "bare Deno", ratio: 0.9 }],
  }, {
    kind: "upgrade",
    options: { in_flight: AT_ONCE, expect: 401 },
    entrants: [
      ["bare Deno", ["gate"]],
      ["Sluice, signed in", [`${folder}/kv.sqlite3`]],
      ["Socket.IO", ["gate", cookies], { expect: 400 }],
    ],
  });
}

function refusedUnread(
  lab: Lab,
  { folder, cookies }: SeededSessions,
  madeUp: string,
): Promise<Contest> {
  return loadContest(lab, {
    id: "upgrade_forged",
    title: "Upgrades with a made-up session, refused",
    unit: "refusals/s",
    better: "more",
    baseline: "bare Deno, KV get",
    targets: [
      { of: "Sluice, signed in", against: "bare Deno, KV get", ratio: 0.9 },
      { of: "Sluice, signed in", against: "Sluice, no cookie", ratio: 1.3, figure: "cpu" },
    ],
  }, {
    kind: "upgrade",
    options: { in_flight: AT_ONCE, cookies: madeUp, expect: 401 },
    entrants: [
      ["bare Deno, KV get", ["gate-kv", `${folder}/kv.sqlite3`]],
      ["Sluice, signed in", [`${folder}/kv.sqlite3`]],
      ["Sluice, no cookie", [`${folder}/kv.sqlite3`], { cookies: undefined }],
      ["Socket.IO", ["gate", cookies], { expect: 400 }],
    ],
  });
}
