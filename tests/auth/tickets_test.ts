import assert from "node:assert/strict";
import { test } from "node:test";
import { type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { Tickets } from "../../lib/auth/mod.ts";
import type { TicketKey } from "../../lib/auth/tickets/kv_ticket_store.ts";
import { type KeyValue, MemoryKeyValue } from "../../lib/kv/mod.ts";
import { MemorySessionStore, type Session, Sessions } from "../../lib/sessions/mod.ts";
import { FakeClock } from "../../lib/testing/fake_clock.ts";
import { FakeLog } from "../support/fake_log.ts";

const DAY_MS = 86_400_000;
const BINDING = { path: "/ws/echo", origin: undefined };

/** A database that exposes the keys and counts how often they are read. */
class OpenDatabase extends MemoryKeyValue {
  reads = 0;
  readonly added: TicketKey[] = [];
  override list<T>(...[range, options]: Parameters<KeyValue["list"]>) {
    if (range.prefix[0] === "ticket_keys") this.reads++;
    return super.list<T>(range, options);
  }
  override set(...[key, value, options]: Parameters<KeyValue["set"]>) {
    if (key[0] === "ticket_keys") this.added.push(value as TicketKey);
    return super.set(key, value, options);
  }
}

async function setUp() {
  const clock = new FakeClock();
  const store = new OpenDatabase();
  const sessions = new Sessions(new MemorySessionStore({ clock }), { clock, log: new FakeLog() });
  const { session } = await sessions.create({ userId: "ada", provider: "dev" });
  return { clock, store, session, tickets: new Tickets(store, { clock }) };
}

test("Tickets.verify() accepts a ticket for less than 30 s", async () => {
  const { clock, tickets, session } = await setUp();
  const { ticket, expiresAt } = await tickets.issue(session, BINDING);
  assert.equal(expiresAt - clock.now(), 30_000);
  clock.pause(29_000);
  assert.equal((await tickets.verify(ticket, BINDING))?.sessionId, session.id);
  clock.pause(1_000);
  assert.equal(await tickets.verify(ticket, BINDING), undefined);
});

const BINDINGS: [asked: string | undefined, path: string, shown: string | undefined][] = [
  [undefined, "/ws/other", undefined],
  [undefined, "/ws/echo/", undefined],
  [undefined, "/ws/Echo", undefined],
  [undefined, "/ws/echo", "https://app.example"],
  ["https://app.example", "/ws/echo", undefined],
  ["https://app.example", "/ws/echo", "https://evil.example"],
  ["https://app.example", "/ws/echo", "https://app.example:8443"],
  ["https://app.example", "/ws/echo", "null"],
];
for (const [asked, path, shown] of BINDINGS) {
  test(
    `a ticket for /ws/echo issued to ${asked ?? "no origin"} is refused at ${path} from ${
      shown ?? "no origin"
    }`,
    async () => {
      const { tickets, session } = await setUp();
      const { ticket } = await tickets.issue(session, { path: "/ws/echo", origin: asked });
      assert.ok(await tickets.verify(ticket, { path: "/ws/echo", origin: asked }));
      assert.equal(await tickets.verify(ticket, { path, origin: shown }), undefined);
    },
  );
}

/** Forges a ticket with the real key and one wrong field. */
interface Forgery {
  readonly header?: Record<string, unknown>;
  readonly payload?: JWTPayload;
  readonly without?: string;
  readonly secret?: Uint8Array;
}
const FORGERIES: [what: string, forgery: Forgery][] = [
  ["another type", { header: { typ: "JWT" } }],
  ["no type", { header: { typ: undefined } }],
  ["another audience", { payload: { aud: "somebody.else" } }],
  ["another algorithm", { header: { alg: "HS512" } }],
  ["an extension that must be understood", { header: { crit: ["x"], x: 1 } }],
  ["an unknown key", { header: { kid: "AAAAAAAAAAAAAAAA" } }],
  ["a malformed key id", { header: { kid: "../../etc" } }],
  ["no key", { header: { kid: undefined } }],
  ["null as its key id", { header: { kid: null as unknown as string } }],
  ["a key id that is an object", { header: { kid: {} as unknown as string } }],
  ["another key", { secret: new Uint8Array(32) }],
  ["an expiry in the past", { payload: { exp: 1 } }],
  ["a start in the future", { payload: { nbf: 4_000_000_000 } }],
  ["a malformed id", { payload: { jti: "x" } }],
  ...["exp", "jti", "aud", "sub", "sid", "path", "origin"].map((name): [string, Forgery] => [
    `no ${name}`,
    { without: name },
  ]),
];
for (const [what, forgery] of FORGERIES) {
  test(`Tickets.verify() refuses a ticket with ${what}`, async () => {
    const { clock, tickets, session, store } = await setUp();
    await tickets.issue(session, BINDING);
    const good = await forge(store.added[0]!, { session, clock }, {});
    assert.ok(await tickets.verify(good, BINDING), "the forger knows how");
    const bad = await forge(store.added[0]!, { session, clock }, forgery);
    assert.equal(await tickets.verify(bad, BINDING), undefined);
  });
}

test("Tickets.verify() refuses an unsigned or malformed ticket", async () => {
  const { tickets, session } = await setUp();
  const { ticket } = await tickets.issue(session, BINDING);
  const [head, body, signature] = ticket.split(".");
  const unsecured = new UnsecuredJWT({ sid: session.id }).setExpirationTime("1h").encode();
  const none = btoa('{"alg":"none","typ":"sluice-ticket+jwt"}').replace(/=+$/, "");
  const spoiled = [
    unsecured,
    `${none}.${body}.`,
    `${none}.${body}.${signature}`,
    `${head}.${body}.`,
    `${head}.${body}.${signature!.slice(0, -2)}AA`,
    `${head}.${body}`,
    "x",
    "",
    "a.b.c",
    "x".repeat(100_000),
  ];
  for (const bad of spoiled) assert.equal(await tickets.verify(bad, BINDING), undefined);
});

test("Tickets.verify() refuses a ticket with any one character changed", async () => {
  const { tickets, session } = await setUp();
  const { ticket } = await tickets.issue(session, BINDING);
  // The last character of a part may hold unused bits.
  for (let at = 0; at < ticket.length; at += 7) {
    if (ticket[at] === "." || ticket[at + 1] === "." || at === ticket.length - 1) continue;
    const other = ticket[at] === "A" ? "B" : "A";
    const bad = ticket.slice(0, at) + other + ticket.slice(at + 1);
    assert.equal(await tickets.verify(bad, BINDING), undefined, `at ${at}`);
  }
});

const REASONS: [asked: string | undefined, path: string, shown: string | undefined, why: string][] =
  [
    [undefined, "/ws/echo", "https://a.example", "requested without an Origin, used with one"],
    ["https://a.example", "/ws/echo", undefined, "requested with an Origin, used without one"],
    ["https://a.example", "/ws/echo", "https://b.example", "requested by another Origin"],
    [undefined, "/ws/other", undefined, "requested for another path"],
  ];
for (const [asked, path, shown, why] of REASONS) {
  test(`Tickets.verify() tells the log that a ticket was ${why}`, async () => {
    const { tickets, session } = await setUp();
    const { ticket } = await tickets.issue(session, { path: "/ws/echo", origin: asked });
    const reasons: string[] = [];
    const options = { refused: (reason: string) => void reasons.push(reason) };
    assert.equal(await tickets.verify(ticket, { path, origin: shown }, options), undefined);
    assert.deepEqual(reasons, [why]);
  });
}

test("Tickets.verify() tells the log that a ticket has expired, or is malformed", async () => {
  const { clock, tickets, session } = await setUp();
  const { ticket } = await tickets.issue(session, BINDING);
  const reasons: string[] = [];
  const options = { refused: (reason: string) => void reasons.push(reason) };
  for (const bad of [`${ticket}x`, "", "x".repeat(100_000)]) {
    await tickets.verify(bad, BINDING, options);
  }
  clock.pause(30_000);
  await tickets.verify(ticket, BINDING, options);
  assert.deepEqual(reasons, ["not genuine", "not genuine", "not genuine", "expired"]);
});

test("Tickets signs with a new key after a day, and accepts the old one for a minute", async () => {
  const { clock, tickets, session, store } = await setUp();
  await tickets.issue(session, BINDING);
  clock.pause(DAY_MS - 1);
  const { ticket: last } = await tickets.issue(session, BINDING);
  assert.equal(store.added.length, 1);
  clock.pause(1_000);
  await tickets.issue(session, BINDING);
  assert.equal(store.added.length, 2);
  assert.ok(await tickets.verify(last, BINDING));
  clock.pause(61_000);
  assert.equal(await tickets.verify(last, BINDING), undefined);
});

test("Tickets accepts another process's tickets, at the cost of one read of the keys", async () => {
  const { clock, tickets, session, store } = await setUp();
  const there = new Tickets(store, { clock });
  const { ticket } = await tickets.issue(session, BINDING);
  store.reads = 0;
  for (let n = 0; n < 5; n++) assert.ok(await there.verify(ticket, BINDING));
  assert.equal(store.reads, 1);
});

test("Tickets reads the keys at most once a second for unknown key ids", async () => {
  const { clock, tickets, session, store } = await setUp();
  await tickets.issue(session, BINDING);
  clock.pause(2_000);
  store.reads = 0;
  for (let n = 0; n < 100; n++) {
    const kid = `AAAAAAAAAAAAA${100 + n}`;
    const bad = await forge(store.added[0]!, { session, clock }, { header: { kid } });
    assert.equal(await tickets.verify(bad, BINDING), undefined);
  }
  assert.equal(store.reads, 1);
});

async function forge(
  { id, secret }: TicketKey,
  { session, clock }: { session: Session; clock: FakeClock },
  forgery: Forgery,
): Promise<string> {
  const payload: JWTPayload = {
    aud: "sluice.socket",
    exp: Math.floor(clock.now() / 1000) + 20,
    jti: "AAAAAAAAAAAAAAAA",
    sub: session.userId,
    sid: session.id,
    path: BINDING.path,
    origin: null,
    ...forgery.payload,
  };
  if (forgery.without !== undefined) delete payload[forgery.without];
  const header = { alg: "HS256", typ: "sluice-ticket+jwt", kid: id, ...forgery.header };
  const options = { crit: { x: false } };
  return await new SignJWT(payload).setProtectedHeader(header)
    .sign(forgery.secret ?? widened(secret, header.alg), options);
}

/** The same secret in the length that the algorithm needs: at least 64 bytes for HS512. */
function widened(secret: Uint8Array, alg: string): Uint8Array {
  if (alg !== "HS512") return secret;
  return new Uint8Array([...secret, ...new Uint8Array(32)]);
}

test("Tickets reads another process's new key even after the wall clock was set back", async () => {
  const { clock, store, session, tickets } = await setUp();
  const other = await new Tickets(new OpenDatabase(), { clock }).issue(session, BINDING);
  await tickets.verify(other.ticket, BINDING);
  const before = store.reads;
  clock.setBack(3_600_000);
  clock.pause(10_000);
  await tickets.verify(other.ticket, BINDING);
  assert.equal(store.reads, before + 1);
});
