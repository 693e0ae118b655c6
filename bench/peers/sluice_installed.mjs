// Sluice on Node or Bun, from its npm package: `echo`, `fan-out`, or `gate DATABASE`, which looks up
// the session and the user in what `seed_sessions.ts` filled: a file of SQLite, or a PostgreSQL.
import process from "node:process";
import { allowAnonymous, KvUserStore, requireUser, user } from "@sluice/sluice/auth";
import { Consumer, JsonConsumer } from "@sluice/sluice/consumers";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { layer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { defineMessages, unchecked } from "@sluice/sluice/protocol";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin, origins } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import { createSessions, session } from "@sluice/sluice/sessions";
import * as v from "valibot";

const { serve } = await import(`@sluice/sluice/${"Bun" in globalThis ? "bun" : "node"}`);
const [mode = "echo", database] = process.argv.slice(2);
const isFanOut = mode === "fan-out";

const messages = defineMessages({
  client: { say: { data: v.object({ by: v.number(), text: v.string() }) } },
  server: { said: unchecked() },
});

class Bench extends JsonConsumer {
  messages = messages;
  handlers = handlers;
  get groups() {
    return isFanOut ? ["all"] : [];
  }
}

const handlers = {
  say(data) {
    if (!isFanOut) return void this.sendJson({ type: "said", data });
    return this.groupSend("all", { type: "said", data }).then(() => {});
  },
};

class Echo extends Consumer {
  receive(data) {
    this.send(data);
  }
}

serve(mode === "gate" ? createGate() : createOpen(), {
  port: 0,
  onListen: ({ port }) => console.log(`listening ${port}`),
});

function createOpen() {
  const application = stack()
    .use(anyOrigin())
    .use(allowAnonymous())
    .use(layer(new MemoryChannelLayer()))
    .routes([route("/", Bench)]);
  return toHandler(application, { limits: { messagesPerSecond: 1e9, messageBurst: 1e9 } });
}

function createGate() {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const isPostgres = database.startsWith("postgres:");
  const kv = isPostgres ? new PostgresKeyValue(database) : new SqliteKeyValue(database);
  const { sessions, controlLog } = createSessions(kv, { log });
  const application = stack()
    .use(origins())
    .use(session(sessions))
    .use(user(new KvUserStore(kv, { controlLog })))
    .use(requireUser())
    .routes([route("/", Echo)]);
  return toHandler(application, { log, freshness: sessions.freshness });
}
