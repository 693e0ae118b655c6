import { Audit, KvUserStore, Tickets } from "@sluice/sluice/auth";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { createSessions } from "@sluice/sluice/sessions";
import { KvStreamStore } from "@sluice/sluice/streams";
import { KvTransactionStore } from "../../lib/auth/oauth/kv_transaction_store.ts";
import type { KvCommit } from "../../lib/kv/kv_entry.ts";

/** What one operation costs the database: round trips that read, and commits. */
export interface DatabaseCost {
  readonly reads: number;
  readonly commits: number;
}

/** The operations of the app that use the database. */
export type OperationName =
  | "upgrade"
  | "ticket"
  | "renewal"
  | "sign-in"
  | "sign-out"
  | "message"
  | "poll"
  | "hint";

/** Counts the round trips of a database. */
class CountingKeyValue extends MemoryKeyValue {
  reads = 0;
  commits = 0;

  protected override readMany(...args: Parameters<MemoryKeyValue["readMany"]>) {
    this.reads++;
    return super.readMany(...args);
  }

  protected override readPage(...args: Parameters<MemoryKeyValue["readPage"]>) {
    this.reads++;
    return super.readPage(...args);
  }

  protected override write(...args: Parameters<MemoryKeyValue["write"]>): Promise<KvCommit> {
    this.commits++;
    return super.write(...args);
  }
}

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Runs each operation of the toolkit once, without caches, and counts its cost. */
export async function countOperations(): Promise<Readonly<Record<OperationName, DatabaseCost>>> {
  await using kv = new CountingKeyValue();
  await using services = createSessions(kv, { log });
  const { sessions, controlLog } = services;
  const users = new KvUserStore(kv, { controlLog });
  const tickets = new Tickets(kv);
  const transactions = new KvTransactionStore(kv);
  await using audit = new Audit(kv, { log });
  const streams = new KvStreamStore(kv);
  const profile = { provider: "dev", subject: "1", login: "ada", name: "", avatarUrl: undefined };
  const { id: userId } = await users.save(profile);
  const { session } = await sessions.create({ userId, provider: "dev" });
  const { position } = await controlLog.read(undefined);
  const say = () => streams.append("room", { type: "said" }, { key: crypto.randomUUID() });
  await say();
  const binding = { path: "/ws/echo", origin: undefined };
  const issue = async () =>
    (await tickets.verify((await tickets.issue(session, binding)).ticket, binding))!;
  await issue();

  const count = async (work: () => Promise<unknown>): Promise<DatabaseCost> => {
    [kv.reads, kv.commits] = [0, 0];
    await work();
    return { reads: kv.reads, commits: kv.commits };
  };
  const costs: Partial<Record<OperationName, DatabaseCost>> = {};
  costs.upgrade = await count(async () => {
    await sessions.findById(session.id);
    await users.get(userId);
  });
  costs.ticket = await count(async () => tickets.use(await issue()));
  costs.renewal = await count(() => sessions.rotate(session.id));
  costs.message = await count(say);
  const { position: end } = await controlLog.read(undefined);
  costs.poll = await count(() => controlLog.read(end));
  costs.hint = await count(() => controlLog.read(position));
  costs["sign-in"] = await count(async () => {
    await transactions.create(transaction());
    await transactions.consume(transaction().key, () => true);
    await users.save(profile);
    await sessions.create({ userId, provider: "dev" });
    audit.write({ kind: "signed-in", userId });
    await audit.written();
  });
  costs["sign-out"] = await count(() => sessions.end(session.id, "signed-out"));
  await streams.close();
  return costs as Record<OperationName, DatabaseCost>;
}

function transaction() {
  return {
    key: "key",
    provider: "dev",
    redirectUri: "http://127.0.0.1/",
    returnTo: "/",
    browserHash: "hash",
    nonce: "nonce",
    codeVerifier: "verifier",
    expiresAt: Date.now() + 600_000,
  };
}
