import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { countCharacters, MAX_TEXT_LENGTH } from "../../components/room/words/text_length.ts";
import { chatMessages } from "../../consumers/chat_messages.ts";

/** Returns whether the server accepts a text after a round trip through JSON. */
async function isAccepted(text: string): Promise<boolean> {
  const data: unknown = JSON.parse(JSON.stringify({ text }));
  const result = await chatMessages.client.say.data["~standard"].validate(data);
  return result.issues === undefined;
}

test("countCharacters() counts an emoji as the server does", () => {
  assert.equal(countCharacters(""), 0);
  assert.equal(countCharacters("🙂".repeat(1_100)), 1_100);
  assert.equal(countCharacters("👩‍🚀"), 3);
  assert.equal(countCharacters("\ud83d"), 1);
});

test("countCharacters() agrees with the server's schema for every text", async () => {
  const unit = fc.constantFrom("a", "é", "🙂", "👩‍🚀", "\ud83d", "\n", " ");
  const text = fc.tuple(unit, fc.integer({ min: 1, max: 2_100 })).map(([part, n]) =>
    part.repeat(n)
  );
  await fc.assert(fc.asyncProperty(fc.oneof(text, fc.string({ maxLength: 30 })), async (text) => {
    const count = countCharacters(text);
    assert.equal(await isAccepted(text), count >= 1 && count <= MAX_TEXT_LENGTH);
  }));
});
