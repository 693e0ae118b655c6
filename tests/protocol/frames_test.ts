import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import * as v from "valibot";
import { defineMessages, FrameError } from "@sluice/sluice/protocol";
import { reconnectAdvice } from "../../lib/protocol/close_codes.ts";
import {
  encodeMessage,
  encodeRefusal,
  encodeReply,
  parseClientFrame,
  parseServerFrame,
} from "../../lib/protocol/frames.ts";
import { parseData } from "../../lib/protocol/schema.ts";

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
  return "none";
}

test("parseClientFrame() reads type, data and id", () => {
  assert.deepEqual(parseClientFrame('{"type":"say","data":{"text":"hi"},"id":"7"}'), {
    type: "say",
    data: { text: "hi" },
    id: "7",
  });
});

const REFUSED: [frame: string, code: string][] = [
  ["", "INVALID_JSON"],
  ["{", "INVALID_JSON"],
  ["null", "INVALID_MESSAGE"],
  ["[]", "INVALID_MESSAGE"],
  ['"say"', "INVALID_MESSAGE"],
  ["{}", "INVALID_MESSAGE"],
  ['{"type":1}', "INVALID_MESSAGE"],
  ['{"type":""}', "INVALID_MESSAGE"],
  [`{"type":"${"x".repeat(65)}"}`, "INVALID_MESSAGE"],
  ['{"type":"say","id":7}', "INVALID_MESSAGE"],
  ['{"type":"say","id":""}', "INVALID_MESSAGE"],
  [`{"type":"say","id":"${"x".repeat(65)}"}`, "INVALID_MESSAGE"],
];
for (const [frame, code] of REFUSED) {
  test(`parseClientFrame() refuses ${frame.slice(0, 24) || "nothing"} with ${code}`, () => {
    assert.equal(codeOf(() => parseClientFrame(frame)), code);
  });
}

test("parseClientFrame() keeps the id of a frame with an invalid type, for the reply", () => {
  assert.throws(() => parseClientFrame('{"id":"7"}'), { id: "7" });
});

test("parseClientFrame() throws nothing but a FrameError for any input", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    try {
      parseClientFrame(text);
    } catch (error) {
      assert.ok(error instanceof FrameError);
    }
  }));
});

test("parseServerFrame() reads everything that the server encodes", () => {
  assert.deepEqual(parseServerFrame(encodeMessage("said", { text: "</script>" })), {
    type: "said",
    data: { text: "</script>" },
  });
  assert.deepEqual(parseServerFrame(encodeReply("7", { id: "a" })), {
    type: "reply",
    id: "7",
    ok: true,
    data: { id: "a" },
  });
  const error = new FrameError("FORBIDDEN", "No");
  assert.deepEqual(parseServerFrame(encodeRefusal(error, "7")), {
    type: "reply",
    id: "7",
    ok: false,
    error: { code: "FORBIDDEN", message: "No" },
  });
  assert.deepEqual(parseServerFrame(encodeRefusal(error, undefined)), {
    type: "error",
    error: { code: "FORBIDDEN", message: "No" },
  });
});

test("parseData() reports each issue with its path from the top of the frame", () => {
  const schema = v.object({ text: v.pipe(v.string(), v.minLength(1, "Too short")) });
  assert.throws(() => parseData(schema, { text: "" }, "7"), {
    code: "INVALID_MESSAGE",
    id: "7",
    issues: [{ path: "data.text", message: "Too short" }],
  });
});

test("parseData() supports asynchronous schemas", async () => {
  const schema = v.pipeAsync(v.string(), v.checkAsync((text) => Promise.resolve(text === "yes")));
  assert.equal(await parseData(schema, "yes"), "yes");
  await assert.rejects(async () => await parseData(schema, "no"), { code: "INVALID_MESSAGE" });
});

test("defineMessages() refuses reserved types", () => {
  assert.throws(() => defineMessages({ client: {}, server: { reply: {} } }), RangeError);
  assert.throws(
    () => defineMessages({ client: { "": { data: v.unknown() } }, server: {} }),
    RangeError,
  );
});

const ADVICE: [code: number, advice: string][] = [
  [1000, "stop"],
  [1001, "retry"],
  [1003, "stop"],
  [1006, "retry"],
  [1007, "stop"],
  [1009, "stop"],
  [1011, "retry"],
  [1012, "retry"],
  [1013, "retry"],
  [4400, "stop"],
  [4401, "sign-in"],
  [4403, "stop"],
  [4408, "retry"],
  [4429, "retry-later"],
  [4999, "stop"],
];
for (const [code, advice] of ADVICE) {
  test(`reconnectAdvice(${code}) is ${advice}`, () => assert.equal(reconnectAdvice(code), advice));
}
