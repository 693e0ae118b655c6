import assert from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import type { Scope } from "@sluice/sluice";
import { type HandlersOf, JsonConsumer } from "@sluice/sluice/consumers";
import { defineMessages } from "@sluice/sluice/protocol";
import { route, router } from "@sluice/sluice/routing";
import { withOrigins } from "../../lib/security/with_origins.ts";
import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
import { withSession } from "../../lib/sessions/with_session.ts";
import { communicate } from "@sluice/sluice/testing";
import { Accepting } from "../support/conformance/consumers.ts";
import { silent } from "../support/silent_log.ts";
import { beyond } from "../support/conformance/conforms.ts";

const RUNS = 10_000;

const shape = v.strictObject({
  text: v.pipe(v.string(), v.maxLength(3)),
  n: v.optional(v.number()),
});
const messages = defineMessages({
  client: { say: { data: shape }, count: { data: v.number() } },
  server: {},
});
let handled = 0;

class Fuzzed extends JsonConsumer<typeof messages> {
  readonly messages = messages;
  readonly handlers = handlers;
}

const handlers: HandlersOf<Fuzzed> = {
  say(data) {
    handled++;
    assert.ok(v.is(shape, data), JSON.stringify(data));
  },
  count(data) {
    handled++;
    assert.equal(typeof data, "number");
  },
};

const fitting = fc.oneof(
  fc.record({ type: fc.constant("say"), data: fc.record({ text: fc.string({ maxLength: 3 }) }) }),
  fc.record({ type: fc.constant("count"), data: fc.integer(), id: fc.string({ minLength: 1 }) }),
).map((value) => JSON.stringify(value));

const frame = fc.record({
  type: fc.constantFrom("say", "count", "constructor", "__proto__", "reply", "", "event"),
  data: fc.oneof(
    fc.record({ text: fc.string({ maxLength: 5 }) }),
    fc.record({ text: fc.anything(), n: fc.anything() }),
    fc.double(),
    fc.jsonValue(),
  ),
  id: fc.oneof(fc.constant(undefined), fc.string(), fc.integer()),
}, { requiredKeys: ["type"] }).map((value) => {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "{";
  }
});
const broken = fc.tuple(frame, fc.nat(), fc.string({ unit: "binary", maxLength: 3 })).map(
  ([text, at, part]) => text.slice(0, at % (text.length + 1)) + part,
);

beyond(
  "fuzz frames",
  `${RUNS} frames: nothing breaks, and handlers see only valid data`,
  async () => {
    const limits = { messagesPerSecond: 1e9, messageBurst: 1e9, sendBufferBytes: 1e9 };
    const clients = () => communicate(Fuzzed, { limits, subprotocols: ["sluice.v1"] });
    let peer = clients();
    await peer.connect();
    let sent = 0;
    const data = fc.oneof(
      { weight: 3, arbitrary: fitting },
      { weight: 6, arbitrary: frame },
      { weight: 3, arbitrary: broken },
      { weight: 2, arbitrary: fc.array(frame, { maxLength: 3 }).map((all) => all.join("\n")) },
      { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    );
    for (const one of fc.sample(data, RUNS)) {
      peer.send(one);
      if (++sent % 19 !== 0) continue; // Before the 20th bad one closes the socket.
      await peer[Symbol.asyncDispose]();
      peer = clients();
      await peer.connect();
    }
    await peer[Symbol.asyncDispose]();
    assert.ok(handled > RUNS / 20, `only ${handled} frames fitted`);
  },
);

const NAMES = [
  "origin",
  "cookie",
  "host",
  "upgrade",
  "connection",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
  "sec-fetch-site",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "content-length",
];
const value = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom("null", "websocket", "13", "upgrade", "http://sluice.test", "a,,b,", "session=x"),
  fc.constantFrom("sluice.v1, sluice.ticket.x", "session=a.b; session=c", "https://[::1", "=;=,;"),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => String.fromCharCode(...bytes)),
);

beyond("fuzz headers", `${RUNS} handshakes: each is accepted, or refused with a code`, async () => {
  const sessions = new Sessions(new MemorySessionStore(), { log: silent });
  const application = withOrigins<Scope>(
    ["https://friend.example"],
    withSession<Scope>(sessions, router<Scope>([route("/*", Accepting)])),
  );
  const statuses = new Map<number, number>();
  const headers = fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 8 });
  for (const given of fc.sample(headers, RUNS)) {
    const valid = Object.entries(given).filter(([, text]) => isHeaderValue(text));
    const options = { headers: Object.fromEntries(valid), trustProxy: true };
    const peer = communicate(application, options);
    const response = await peer.request({ ...options.headers });
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (response.headers.get("content-type") !== "application/problem+json") continue;
    assert.ok((await response.json()).code);
  }
  assert.deepEqual([...statuses.keys()].filter((status) => status >= 500), []);
  assert.ok(statuses.size > 1);
});

function isHeaderValue(text: string): boolean {
  try {
    new Headers({ x: text });
    return true;
  } catch {
    return false;
  }
}
