import { test } from "node:test";
import assert from "node:assert/strict";
import {
  type Connection,
  describeBlock,
  describeConnection,
} from "../../components/room/words/connection_words.ts";
import { durationWords } from "../../components/room/words/duration_words.ts";
import { describeSendError } from "../../components/room/words/send_error_words.ts";

const STATES = ["connecting", "live", "reconnecting", "signed-out", "refused", "closed"] as const;

/** Codes of the gate after which a client retries, and two codes of a proxy. */
const PASSING_CODES = [
  "DRAINING",
  "TOO_MANY_ATTEMPTS",
  "TOO_MANY_SOCKETS",
  "UNAVAILABLE",
  "INTERNAL",
  "HTTP_404",
  "HTTP_502",
  1011,
  1012,
  1013,
  4408,
  4429,
  undefined,
];

const LASTING_CODES = [
  "ORIGIN_NOT_ALLOWED",
  "NO_CONSUMER",
  "FORBIDDEN",
  "BAD_HANDSHAKE",
  1002,
  1003,
  1007,
  1009,
  4400,
  4403,
];

function words(state: Connection["state"], code?: Connection["code"], wasLive = true): string {
  return describeConnection({ state, code, wasLive });
}

test("describeConnection() has a different text for each state", () => {
  assert.equal(new Set(STATES.map((state) => words(state))).size, STATES.length);
});

test("describeConnection() does not report a lost connection before the first one", () => {
  for (const code of PASSING_CODES) {
    assert.match(words("reconnecting", code, false), /^Can't connect yet\. [A-Z].*\.$/, `${code}`);
    assert.match(words("reconnecting", code, true), /^Connection lost\. Reconnecting… [A-Z].*\.$/);
  }
});

test("describeConnection() gives the reason of each refusal that lasts", () => {
  for (const code of LASTING_CODES) {
    assert.notEqual(words("refused", code), words("refused"), `${code}`);
    assert.match(words("refused", code), /^[A-Z].*\.$/);
  }
  assert.equal(words("refused", "NO_CONSUMER"), "This room doesn't exist.");
  assert.equal(words("refused", 4403), "You no longer have access to this room.");
});

test("describeConnection() does not blame the server while the browser is offline", () => {
  const lost = { state: "reconnecting", wasLive: true } as const;
  assert.match(describeConnection(lost), /The server can't be reached\.$/);
  assert.match(describeConnection({ ...lost, isOffline: true }), /You are offline\.$/);
  assert.match(describeConnection({ ...lost, isOffline: true, code: 1013 }), /is busy\.$/);
});

test("describeConnection() shows no codes, not even unknown ones", () => {
  const codes = [...PASSING_CODES, ...LASTING_CODES, "NEW_CODE", 4999, "constructor", "__proto__"];
  for (const state of STATES) {
    for (const code of codes) assert.doesNotMatch(words(state, code), /[A-Z]{2,}|\d|undefined|{/);
  }
});

test("describeConnection() gives no reason while the connection is live", () => {
  assert.equal(words("live", "UNAVAILABLE"), "Live");
});

test("describeBlock() says why nothing can be sent in every state except live", () => {
  for (const state of STATES) {
    assert.equal(describeBlock({ state, wasLive: true }) === undefined, state === "live", state);
  }
});

test("describeSendError() says that a message may have been sent only if a connection had it", () => {
  for (const code of ["TIMEOUT", "DISCONNECTED", "CLOSED"]) {
    const [sent, unsent] = [true, false].map((sent) => describeSendError({ code, sent }));
    assert.equal(sent!.uncertain, true, code);
    assert.match(sent!.reason, /It may have been sent$/);
    assert.equal(unsent!.uncertain, false, code);
    assert.match(unsent!.reason, /^Not sent: /);
  }
  for (const code of ["INVALID_MESSAGE", "RATE_LIMITED", "INTERNAL", "UNAVAILABLE", "FORBIDDEN"]) {
    assert.equal(describeSendError({ code, sent: true }).uncertain, false, code);
    assert.match(describeSendError({ code, sent: true }).reason, /^Not sent: [a-z]/);
  }
});

test("describeSendError() does not blame the connection if the server did not answer", () => {
  const { reason } = describeSendError({ code: "TIMEOUT", sent: true });
  assert.equal(reason, "No answer from the server. It may have been sent");
});

test("durationWords() formats a time in its largest unit", () => {
  const said = [0, 1, 999, 1_000, 1_001, 12_000, 60_000, 90_000, 7_200_000].map(durationWords);
  assert.deepEqual(said, [
    "1 second",
    "1 second",
    "1 second",
    "1 second",
    "2 seconds",
    "12 seconds",
    "1 minute",
    "2 minutes",
    "2 hours",
  ]);
});
