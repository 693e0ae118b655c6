import { test } from "node:test";
import assert from "node:assert/strict";
import { reasonOf, stateWords } from "../../components/room/connection_words.ts";
import { describeSendError } from "../../components/room/send_error_words.ts";

test("each state of a connection has words of its own", () => {
  const states = ["connecting", "live", "reconnecting", "signed-out", "refused", "closed"] as const;
  const words = states.map((state) => stateWords({ state }));
  assert.equal(new Set(words).size, states.length);
});

test("a reason is said where it means something to people", () => {
  assert.match(reasonOf({ state: "reconnecting", code: "TOO_MANY_SOCKETS" }), /Close one/);
  assert.match(reasonOf({ state: "reconnecting", code: 1012 }), /restarting/);
  assert.equal(reasonOf({ state: "reconnecting", code: 1006 }), "");
  assert.equal(reasonOf({ state: "reconnecting" }), "");
});

test("a message may have arrived only where it was handed to a connection that was lost", () => {
  const about = (code: string, sent: boolean) => describeSendError({ code, sent, issues: [] });
  for (const code of ["TIMEOUT", "DISCONNECTED", "CLOSED"]) {
    assert.equal(about(code, true).uncertain, true, code);
    assert.equal(about(code, false).uncertain, false, code);
    assert.match(about(code, false).reason, /^Not sent/);
  }
  for (const code of ["INVALID_MESSAGE", "RATE_LIMITED", "INTERNAL", "UNAVAILABLE", "FORBIDDEN"]) {
    assert.equal(about(code, true).uncertain, false, code);
    assert.match(about(code, true).reason, /^Not sent: /);
  }
});

test("a message that is not valid fails with what the server says of it", () => {
  const issues = [{ message: "Expected at most 2000 characters" }];
  const { reason } = describeSendError({ code: "INVALID_MESSAGE", sent: true, issues });
  assert.equal(reason, "Not sent: Expected at most 2000 characters");
});
