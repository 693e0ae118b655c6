/**
 * Sluice with its gate: the session and the user are looked up before the upgrade.
 *
 * `sluice_gate.ts ADDRESS`: the database that `seed_sessions.ts` filled.
 *
 * @module
 */
import { KvUserStore, requireUser, sessionOrTicket, Tickets, user } from "@sluice/sluice/auth";
import { Consumer } from "@sluice/sluice/consumers";
import { route, stack } from "@sluice/sluice/routing";
import { origins } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import { openNamed } from "../../tools/db/addresses.ts";
import { Sessions } from "@sluice/sluice/sessions";
import { KvControlLog } from "../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";

const [address] = Deno.args;
const log = { debug() {}, info() {}, warn() {}, error() {} };

class Echo extends Consumer {
  override receive(data: string | Uint8Array) {
    this.send(data);
  }
}

const { kv } = openNamed(address, {});
const controlLog = new KvControlLog(kv);
const sessions = new Sessions(new KvSessionStore(kv, { controlLog }), { controlLog, log });
const users = new KvUserStore(kv, { controlLog });
const tickets = new Tickets(kv);

const application = stack()
  .use(origins())
  .use(sessionOrTicket({ sessions, tickets }))
  .use(user(users))
  .use(requireUser())
  .routes([route("/", Echo)]);

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`listening ${port}`),
}, toHandler(application, { log, freshness: sessions.freshness }));
