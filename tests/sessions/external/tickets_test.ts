import assert from "node:assert/strict";
import { test } from "node:test";
import { type ExternalSessions, Refusal } from "@sluice/sluice";
import { Tickets } from "@sluice/sluice/auth";
import { MemoryKeyValue } from "@sluice/sluice/kv";
import { Accounts, type Member } from "../../support/accounts.ts";

const OTHER = "https://other.example";

/** An application with a signed-in user, whose tickets are kept in a database. */
function setUp() {
  const accounts = new Accounts();
  const kv = new MemoryKeyValue();
  const tickets = new Tickets(kv, { clock: accounts.clock });
  const start = () => accounts.start({ kv, tickets });
  accounts.signIn("s1");
  return { accounts, kv, start, [Symbol.dispose]: () => accounts[Symbol.dispose]() };
}

function request(sid: string, origin: string | undefined = OTHER): Request {
  const headers = { cookie: `sid=${sid}`, ...(origin && { origin }) };
  return new Request("http://localhost/api/tickets", { method: "POST", headers });
}

async function issue(sessions: ExternalSessions<Member>): Promise<string> {
  const issued = await sessions.issueTicket(request("s1"), "/ws/who");
  return issued!.ticket;
}

const INVALID = { accepted: false, status: 401, code: "TICKET_INVALID" };

test("ExternalSessions.issueTicket() opens one socket without a cookie, in any process", async () => {
  using set = setUp();
  const { accounts } = set;
  const [here, there] = [set.start(), set.start()];
  const ticket = await issue(here);
  const proof = { ticket, origin: OTHER };
  const offer = { "sec-websocket-protocol": `sluice.v1, sluice.ticket.${ticket}` };
  const plain = await accounts.client(here, proof).request(offer);
  assert.equal(plain.status, 426, "a plain request does not use it up");
  const clients = Array.from(
    { length: 8 },
    (_, at) => accounts.client(at % 2 === 0 ? here : there, proof),
  );
  const answers = await Promise.all(clients.map((client) => client.connect()));
  assert.equal(answers.filter(({ accepted }) => accepted).length, 1);
  assert.deepEqual(answers.find(({ accepted }) => !accepted), INVALID);
  const open = clients[answers.findIndex(({ accepted }) => accepted)]!;
  assert.equal(await open.receive(), "ADA");
  await there.ended("s1");
  await accounts.pass(500, 250);
  assert.equal((await open.closed()).code, 4401);
});

test("ExternalSessions refuses a ticket of another path or origin, an old and a forged one", async () => {
  using set = setUp();
  const { accounts } = set;
  const sessions = set.start();
  const ticket = await issue(sessions);
  const wrong = [
    { ticket, origin: OTHER, path: "/ws/other" },
    { ticket, origin: "http://localhost" },
    { ticket: `${ticket.slice(0, -4)}AAAA`, origin: OTHER },
    { ticket: "x", origin: OTHER, sid: "s1" },
  ];
  for (const proof of wrong) {
    assert.deepEqual(await accounts.client(sessions, proof).connect(), INVALID);
  }
  await accounts.pass(31_000, 31_000);
  assert.deepEqual(await accounts.client(sessions, { ticket, origin: OTHER }).connect(), INVALID);
});

test("ExternalSessions refuses the ticket of a session that has ended, vanished or changed hands", async () => {
  using set = setUp();
  const { accounts } = set;
  const sessions = set.start();
  const changes = [
    () => accounts.identities.delete("s1"),
    () => accounts.signIn("s1", "eve"),
    () => accounts.signIn("s1", "ada", { sessionId: "s2" }),
    () => sessions.ended("s1"),
  ];
  for (const change of changes) {
    accounts.signIn("s1");
    const ticket = await issue(sessions);
    await change();
    const answer = await accounts.client(sessions, { ticket, origin: OTHER, sid: "s1" }).connect();
    assert.deepEqual(answer, INVALID);
  }
  accounts.signIn("s1");
  assert.equal(await sessions.issueTicket(request("s1"), "/ws/who"), undefined);
});

test("ExternalSessions.issueTicket() returns undefined without a live session, and throws for errors", async () => {
  using set = setUp();
  const { accounts } = set;
  const sessions = set.start();
  accounts.signIn("old", "ada", { expiresAt: accounts.clock.now() });
  assert.equal(await sessions.issueTicket(request("none"), "/ws/who"), undefined);
  assert.equal(await sessions.issueTicket(request("old"), "/ws/who"), undefined);
  for (const path of ["", "ws/who", "//evil.example/ws", "/" + "x".repeat(1_024)]) {
    await assert.rejects(sessions.issueTicket(request("s1"), path), TypeError);
  }
  const unlike = ["/ws/room/../who", "/ws/%2e%2e/who", "/ws/rööm", "/ws/who?a=1", "/ws/who#a"];
  for (const path of [...unlike, "/ws/who?", "/ws/a b", "/ws\\who", "/ws/\nwho"]) {
    await assert.rejects(sessions.issueTicket(request("s1"), path), TypeError, path);
  }
  assert.ok(await sessions.issueTicket(request("s1"), "/ws/r%C3%B6%c3%b6m"));
  await assert.rejects(accounts.start().issueTicket(request("s1"), "/ws/who"), TypeError);
  accounts.hook = () => Promise.reject(new Error("down"));
  await assert.rejects(sessions.issueTicket(request("s1"), "/ws/who"), (error) => {
    return error instanceof Refusal && error.code === "UNAVAILABLE";
  });
});

test("ExternalSessions stores the request of a ticket encrypted", async () => {
  using set = setUp();
  await issue(set.start());
  const { entries } = await set.kv.list<Uint8Array>({ prefix: ["external", "ticket_requests"] });
  assert.equal(entries.length, 1);
  const text = new TextDecoder().decode(entries[0]!.value);
  assert.doesNotMatch(text, /sid|s1|cookie/);
});

test("ExternalSessions keeps the requests of tickets in memory without a database", async () => {
  using accounts = new Accounts();
  const tickets = new Tickets(new MemoryKeyValue(), { clock: accounts.clock });
  const sessions = accounts.start({ tickets });
  accounts.signIn("s1");
  const proof = { ticket: await issue(sessions), origin: OTHER };
  assert.equal((await accounts.client(sessions, proof).connect()).accepted, true);
  assert.deepEqual(await accounts.client(sessions, proof).connect(), INVALID);
  assert.deepEqual(
    await accounts.client(accounts.start(), proof).connect(),
    INVALID,
    "an application without tickets",
  );
});
