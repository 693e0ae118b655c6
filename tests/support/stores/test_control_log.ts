import assert from "node:assert/strict";
import type { SessionEvent } from "../../../lib/sessions/mod.ts";
import type { ControlLog } from "../../../lib/sessions/revocation/control_log.ts";
import { makeSession } from "../../../lib/testing/factories.ts";
import {
  type CreateTestStore,
  defineStoreTests,
} from "../../../lib/testing/stores/define_store_tests.ts";
import type { SuiteOptions } from "../../../lib/testing/bed.ts";

/** The logs of two processes over one database. */
export interface TwoLogs {
  readonly here: ControlLog;
  readonly there: ControlLog;
}

const ENTRIES = 40;

/** Defines the tests that every {@linkcode ControlLog} passes, with `node:test`. */
export function testControlLog(
  name: string,
  create: CreateTestStore<TwoLogs>,
  options: SuiteOptions = {},
): void {
  const it = defineStoreTests(name, create, options);

  it("read() without a position returns the end of the log, and no events", async ({ here }) => {
    await here.append(changed("ada"));
    const { events, position, hasMore } = await here.read(undefined);
    assert.deepEqual({ events, position, hasMore }, { events: [], position: 1, hasMore: false });
  });

  it("read() returns the entries of all writers once, in the order of their positions", async (logs) => {
    const { here, there } = logs;
    const { position } = await here.read(undefined);
    const appended = Array.from({ length: ENTRIES }, (_, n) => {
      return (n % 2 ? here : there).append(changed(`u${n}`));
    });
    await Promise.all(appended);
    const pages = [await here.read(position), await there.read(position)];
    for (const page of pages) assert.ok(page.isComplete && !page.hasMore);
    assert.deepEqual(pages[0], pages[1]);
    const users = pages[0]!.events.map((event) => event.type === "user-changed" && event.userId);
    assert.equal(pages[0]!.position, position + ENTRIES);
    assert.equal(new Set(users).size, ENTRIES);
    // Each writer's own entries are in its order.
    const ofHere = users.filter((user) => Number(String(user).slice(1)) % 2 === 1);
    assert.deepEqual(ofHere, Array.from({ length: ENTRIES / 2 }, (_, n) => `u${2 * n + 1}`));
  });

  it("read() after a position returns only later entries", async ({ here, there }) => {
    await here.append(changed("ada"));
    const { position } = await there.read(undefined);
    await there.append(changed("grace"));
    const { events } = await here.read(position);
    assert.deepEqual(events, [changed("grace")]);
    assert.deepEqual((await here.read(position + 1)).events, []);
  });

  it("read() after a position that does not exist is incomplete", async ({ here }) => {
    await here.append(changed("ada"));
    const { events, position, isComplete } = await here.read(9);
    assert.deepEqual({ events, position, isComplete }, {
      events: [],
      position: 1,
      isComplete: false,
    });
  });

  it("onCommit() is called with the position before append() resolves", async ({ here, there }) => {
    const committed: number[] = [];
    here.onCommit((_, position) => committed.push(position));
    await there.append(changed("grace"));
    const appending = here.append(changed("ada"));
    await appending;
    assert.deepEqual(committed, [2]);
  });

  it("onAppend() is called after an own append, until it is unsubscribed", async ({ here }) => {
    let calls = 0;
    const unsubscribe = here.onAppend!(() => calls++);
    await here.append(changed("ada"));
    assert.ok(calls > 0);
    unsubscribe();
    const before = calls;
    await here.append(changed("ada"));
    assert.equal(calls, before);
  });

  it("onAppend() is not called for a renewal, which can wait for the next poll", async ({ here }) => {
    let calls = 0;
    here.onAppend!(() => calls++);
    const renewal: SessionEvent = { type: "renewed", session: makeSession() };
    for (let n = 0; n < 5; n++) await here.append(renewal);
    // A driver may call once when it begins to listen.
    assert.ok(calls <= 1, `${calls} calls`);
    assert.equal((await here.read(0)).events.length, 5);
  });
}

function changed(userId: string): SessionEvent {
  return { type: "user-changed", userId };
}
