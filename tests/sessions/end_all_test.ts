import assert from "node:assert/strict";
import { test } from "node:test";
import { Audit } from "../../lib/auth/mod.ts";
import { Sessions } from "../../lib/sessions/mod.ts";
import { KvControlLog } from "../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../lib/sessions/kv_session_store.ts";
import { FakeClock, settle } from "../../lib/testing/fake_clock.ts";
import { FakeConnection } from "../support/fake_connection.ts";
import { FakeLog } from "../support/fake_log.ts";
import { auditSessions } from "../../app/admin/audit.ts";
import { type KeyValue, MemoryKeyValue } from "../../lib/kv/mod.ts";
import type { AuditEvent } from "../../lib/auth/audit/audit_log.ts";
import type { KvCommit } from "../../lib/kv/kv_entry.ts";

type Commit = () => Promise<KvCommit>;

/** A database whose commits a test can break. */
class FaultyKv {
  commits = 0;
  around: (commit: Commit, count: number) => ReturnType<Commit> = (commit) => commit();

  over(kv: KeyValue): KeyValue {
    const atomic = () => {
      const operation = kv.atomic();
      const commit: Commit = operation.commit.bind(operation);
      operation.commit = () => this.around(commit, ++this.commits);
      return operation;
    };
    return new Proxy(kv, {
      get(target, name) {
        if (name === "atomic") return atomic;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }
}

/** A user with four sessions, a socket of each but the last, and the recorded ends. */
async function setUp(kv: KeyValue) {
  const clock = new FakeClock();
  const log = new FakeLog();
  const faulty = new FaultyKv();
  const source = faulty.over(kv);
  const controlLog = new KvControlLog(source);
  const sessions = new Sessions(new KvSessionStore(source, { clock, controlLog }), {
    clock,
    controlLog,
    log,
  });
  const events: AuditEvent[] = [];
  const audit = new Audit(new MemoryKeyValue(), { log, clock });
  audit.subscribe((event) => events.push(event));
  auditSessions(sessions, audit);
  const created = [];
  for (let count = 0; count < 4; count++) {
    created.push(await sessions.create({ userId: "ada", provider: "dev" }));
    await clock.advance(1);
  }
  const sockets = created.map(({ session }) => {
    const socket = new FakeConnection();
    sessions.connections.subscribe(session.id, socket);
    sessions.connections.track(session);
    socket.accept();
    return socket;
  });
  faulty.commits = 0;
  const ids = created.map(({ session }) => session.id);
  // Its first commit voids the approvals of the kept session.
  const endOthers = () => sessions.endAll("ada", { except: ids[3]! });
  const ended = async () => {
    await audit.written();
    return events.map(({ sessionId }) => sessionId);
  };
  const open = () => sockets.filter(({ phase }) => phase === "open").length;
  return { sessions, faulty, ids, endOthers, ended, open };
}

test("Sessions.endAll() announces once the ends before a failure, and a retry ends the others", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, faulty, ids, endOthers, ended, open } = await setUp(kv);
  faulty.around = (commit, count) =>
    count === 4 ? Promise.reject(new Error("disk is full")) : commit();
  await assert.rejects(endOthers(), /disk is full/);
  assert.deepEqual(await ended(), ids.slice(0, 2));
  assert.equal(open(), 2);
  faulty.around = (commit) => commit();
  assert.equal(await endOthers(), 1);
  assert.equal(await endOthers(), 0);
  assert.deepEqual(await ended(), ids.slice(0, 3));
  assert.equal(open(), 1);
  sessions.close();
});

test("Sessions.endAll() recognises a commit whose response was lost", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, faulty, ids, endOthers, ended, open } = await setUp(kv);
  faulty.around = async (commit, count) => {
    const result = await commit();
    if (count === 3) throw new Error("connection reset");
    return result;
  };
  assert.equal(await endOthers(), 3);
  assert.deepEqual(await ended(), ids.slice(0, 3));
  assert.equal(open(), 1);
  sessions.close();
});

test("Sessions announces once an end that is committed after its call has failed", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, faulty, ids, endOthers, ended, open } = await setUp(kv);
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  faulty.around = async (commit, count) => {
    if (count === 3) {
      reached.resolve();
      await gate.promise;
    }
    return await commit();
  };
  const ending = endOthers();
  ending.catch(() => {});
  await reached.promise;
  // A use of the database times out after 5 s; its timer does not keep the process alive.
  const alive = setInterval(() => {}, 1_000);
  await assert.rejects(ending, /did not answer within 5000 ms/);
  clearInterval(alive);
  assert.deepEqual(await ended(), ids.slice(0, 1));
  gate.resolve();
  for (let turn = 0; turn < 1_000 && (await ended()).length < 2; turn++) await settle();
  assert.deepEqual(await ended(), ids.slice(0, 2));
  assert.equal(open(), 2);
  assert.equal(await endOthers(), 1);
  assert.deepEqual(await ended(), ids.slice(0, 3));
  sessions.close();
});

test("Sessions.end() is announced and recorded once with a control log", async () => {
  await using kv = new MemoryKeyValue();
  const { sessions, ids, ended } = await setUp(kv);
  const outcomes = await Promise.all([1, 2, 3].map(() => sessions.end(ids[0]!, "signed-out")));
  assert.deepEqual(outcomes.sort(), [false, false, true]);
  assert.deepEqual(await ended(), ids.slice(0, 1));
  sessions.close();
});
