/**
 * The server of `upgrade.ts`, in a process of its own: `bare`, `gate`, `cookie` or `ticket`. Prints one
 * line of JSON: where it listens, and what to show.
 *
 * @module
 */
import type { Application, Scope } from "@sluice/sluice";
import {
  KvTicketStore,
  KvUserStore,
  requireUser,
  type SignedInScope,
  Tickets,
  withTickets,
  withUser,
} from "@sluice/sluice/auth";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import { withOrigins } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import { KvControlLog, KvSessionStore, Sessions } from "@sluice/sluice/sessions";

const [kind = "cookie", count = "0"] = Deno.args;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

class Echo extends Consumer {}

const kv = await Deno.openKv(`${await Deno.makeTempDir()}/kv.sqlite3`);
const controlLog = new KvControlLog(kv);
const store = new KvSessionStore(kv, { controlLog });
const sessions = new Sessions(store, { controlLog, log: silent });
const users = new KvUserStore(kv, { controlLog });
const tickets = new Tickets(new KvTicketStore(kv));
const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada", avatarUrl: undefined };
const user = await users.save(profile);
const { session, token } = await sessions.create({ userId: user.id, provider: "dev" });

const open = withOrigins([], router<Scope>([route("/ws/echo", Echo)]));
const guarded: Application<Scope> = withOrigins(
  [],
  withTickets(
    tickets,
    sessions,
    withUser(users, requireUser(router<SignedInScope>([route("/ws/echo", Echo)]))),
  ),
);
const handlers: Record<string, (request: Request) => Response | Promise<Response>> = {
  bare: (request) => Deno.upgradeWebSocket(request).response,
  gate: toHandler(open, { log: silent }),
  cookie: toHandler(guarded, { log: silent }),
  ticket: toHandler(guarded, { log: silent }),
};

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handlers[kind]!);
const { port } = server.addr;
const binding = { path: "/ws/echo", origin: `http://127.0.0.1:${port}` };
const issue = async () => (await tickets.issue(session, binding)).ticket;
const offered = await Promise.all(
  Array.from({ length: kind === "ticket" ? Number(count) : 0 }, issue),
);
console.log(JSON.stringify({ port, cookie: `session=${token}`, tickets: offered }));
