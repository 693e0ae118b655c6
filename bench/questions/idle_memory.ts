import { provideGenerator } from "../harness/servers/generator.ts";
import { HeldSockets } from "../harness/servers/held_sockets.ts";
import { type Entrant, gather } from "../harness/load_contest.ts";
import type { Question } from "../harness/question.ts";
import { seedSessions } from "../harness/servers/seeded_sessions.ts";
import { ServerProcess } from "../harness/servers/server_process.ts";

const SOCKETS = 10_000;
const WARM_UP = 200;
const SETTLE_MS = 2_000;

/** How much memory does an idle socket use? */
const idleMemory: Question = {
  title: "Memory of idle sockets",
  about:
    "10,000 sockets are opened and stay idle. Those of Sluice belong to 10,000 users, and are bound to " +
    "their sessions. Measured is the growth of the server's resident memory two seconds after the last " +
    "socket was opened, after a warm-up with 200 sockets.",
  isQuick: false,
  async contests(lab) {
    const generator = await provideGenerator(lab.note);
    const { folder, cookies } = await seedSessions(lab, SOCKETS);
    const file = `${folder}/db.sqlite`;
    const onSqlite = await seedSessions(lab, SOCKETS, `sqlite:${file}`);
    const gate = ["gate", file];
    const entrants: Entrant[] = [
      ["bare Deno", ["gate"]],
      ["bare Deno, set like Sluice", ["gate"]],
      ["Sluice, signed in", [`${folder}/kv.sqlite3`]],
      ["ws", ["echo"]],
      ["Sluice on Node", gate, { cookies: onSqlite.cookies }],
      ["Socket.IO", ["gate", cookies]],
      ["Bun", ["echo"]],
      ["Sluice on Bun", gate, { cookies: onSqlite.cookies }],
    ];
    const head = {
      id: "idle_memory",
      title: "Memory of 10,000 idle sockets",
      unit: "KiB per socket",
      better: "less",
      baseline: "bare Deno",
      targets: [
        { of: "Sluice, signed in", against: "bare Deno", ratio: 1.15 },
        { of: "Sluice on Node", against: "ws", ratio: 1.25 },
        { of: "Sluice on Bun", against: "Bun", ratio: 1.25 },
      ],
    } as const;
    const contest = await gather(head, entrants, lab, ({ load, ...peer }, own) => async () => {
      await using server = await ServerProcess.start(peer);
      const options = { ...load, port: server.port, cookies, ...own };
      await open(WARM_UP);
      const before = server.rss();
      const after = await open(SOCKETS);
      return { value: (after - before) / SOCKETS / 1024 };

      async function open(connections: number): Promise<number> {
        await using _sockets = await HeldSockets.open(generator, { ...options, connections });
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        return server.rss();
      }
    });
    return [contest];
  },
};

export default idleMemory;
