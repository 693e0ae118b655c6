import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Tickets } from "../../lib/auth/mod.ts";
import { type Clock, systemClock } from "../../lib/core/clock.ts";
import { PostgresKeyValue } from "../../lib/kv/postgres/mod.ts";
import { ServerClock } from "../../lib/kv/postgres/server_clock.ts";
import { createSessions } from "../../lib/sessions/mod.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { LiveApp } from "../support/app/live_app.ts";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";

const options = { skip: whyNoPostgres() ?? false, timeout: 60_000 };
const MINUTE_MS = 60_000;

/** Estimates may differ from each other by this, in milliseconds; the clocks differ by a minute. */
const NEAR_MS = 5_000;

const log = { debug() {}, info() {}, warn() {}, error() {} };

let server: PostgresServer;
before(async () => {
  if (!options.skip) server = await PostgresServer.start();
});
after(async () => await server?.[Symbol.asyncDispose]());

/** The clock of a machine that differs from this one's. */
function skewed(ms: number): Clock {
  const after = systemClock.after.bind(systemClock);
  return { now: () => Date.now() + ms, elapsed: () => systemClock.elapsed(), after };
}

function assertNear(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < NEAR_MS, `${actual - expected} ms`);
}

for (const [where, ms] of [["behind", -MINUTE_MS], ["ahead", MINUTE_MS]] as const) {
  test(
    `PostgresKeyValue.clock follows the server if the machine is a minute ${where}`,
    options,
    async () => {
      await using kv = new PostgresKeyValue(server.url(), { clock: skewed(ms) });
      assertNear(kv.clock.now(), Date.now() + ms);
      await kv.get(["a"]);
      assertNear(kv.clock.now(), Date.now());
    },
  );
}

test("ServerClock is the machine's clock until it differs by a second, and follows corrections", async () => {
  const machine = new FakeClock();
  const clock = new ServerClock(machine);
  const observe = (ms: number) => clock.observe(machine.now() + ms, machine.elapsed());
  const ahead = () => clock.now() - machine.now();
  observe(900);
  assert.equal(ahead(), 0);
  observe(MINUTE_MS);
  assert.equal(ahead(), MINUTE_MS);
  observe(MINUTE_MS - 400); // An error of the measurement.
  assert.equal(ahead(), MINUTE_MS);
  const askedAt = machine.elapsed();
  await machine.advance(5_000);
  clock.observe(machine.now() - MINUTE_MS, askedAt); // The answer took long.
  clock.observe(NaN, machine.elapsed());
  assert.equal(ahead(), MINUTE_MS);
  observe(20); // The machine's clock was corrected.
  assert.equal(ahead(), 0);
});

test(
  "a ticket and a session of a process whose clock is a minute behind are valid elsewhere",
  options,
  async () => {
    const url = await server.createSchema("tickets");
    await using late = new PostgresKeyValue(url, { clock: skewed(-MINUTE_MS) });
    await using right = new PostgresKeyValue(url);
    const binding = { path: "/ws/echo", origin: undefined };
    await using sessions = createSessions(late, {
      clock: late.clock,
      idleTtlMs: MINUTE_MS * 2,
      log,
    });
    const { session } = await sessions.sessions.create({ userId: "ada", provider: "dev" });
    assertNear(session.expiresAt, Date.now() + MINUTE_MS * 2);
    for (const [from, to] of [[late, right], [right, late]] as const) {
      const [issuer, gate] = [from, to].map((kv) => {
        return new Tickets(kv, { clock: kv.clock });
      });
      const { ticket, expiresAt } = await issuer!.issue(session, binding);
      assertNear(expiresAt, Date.now() + 30_000);
      const claims = await gate!.verify(ticket, binding);
      assert.equal(claims?.sessionId, session.id);
      assert.deepEqual([await gate!.use(claims!), await issuer!.use(claims!)], [true, false]);
    }
  },
);

test(
  "the control log has the order of its commits, whatever the clocks of its writers say",
  options,
  async () => {
    const url = await server.createSchema("log");
    const kvs = [-MINUTE_MS, 0, MINUTE_MS].map((ms) => {
      return new PostgresKeyValue(url, { clock: skewed(ms) });
    });
    // The machines' own clocks, as with a database that has none.
    const logs = kvs.map((kv, n) => {
      return createSessions(kv, { log, clock: skewed((n - 1) * MINUTE_MS) }).controlLog;
    });
    for (let n = 0; n < 12; n++) {
      await logs[n % 3]!.append({ type: "user-changed", userId: `u${n}` });
    }
    for (const controlLog of logs) {
      const { events, isComplete } = await controlLog.read(0);
      assert.ok(isComplete);
      const users = events.map((event) => "userId" in event && event.userId);
      assert.deepEqual(users, Array.from({ length: 12 }, (_, n) => `u${n}`));
    }
    for (const kv of kvs) await kv.close();
  },
);

test(
  "the app signs in and admits sockets although the clock of one process is a minute behind",
  options,
  async () => {
    const env = {
      DATABASE_URL: await server.createSchema("app"),
      CHANNEL_LAYER: "kv:",
      ALLOWED_ORIGINS: "*",
    };
    await using late = await LiveApp.start(env, { clock: skewed(-MINUTE_MS) });
    await using right = await LiveApp.start(env);
    const ada = await late.signIn("ada");
    const elsewhere = right.browser();
    for (const [name, value] of ada.cookies) elsewhere.cookies.set(name, value);
    for (const [app, browser] of [[late, ada], [right, elsewhere]] as const) {
      const response = await browser.request("/api/tickets", {
        method: "POST",
        headers: { origin: app.origin },
        body: '{"path":"/ws/echo"}',
      });
      const { ticket, expiresAt } = await response.json();
      assertNear(new Date(expiresAt).getTime(), Date.now() + 30_000);
      const other = app === late ? right : late;
      const headers = { origin: app.origin };
      const protocols = ["sluice.v1", `sluice.ticket.${ticket}`];
      using _socket = await other.open("/ws/echo", other.browser(), { headers, protocols });
      await assert.rejects(app.open("/ws/echo", app.browser(), { protocols }), {
        code: "TICKET_INVALID",
      });
    }
    using socket = await right.open("/ws/chat/lobby", elsewhere);
    await socket.frame("welcome");
    await ada.request("/auth/signout", { method: "POST", headers: { origin: late.origin } });
    assert.equal((await socket.closed).code, 4401);
  },
);
