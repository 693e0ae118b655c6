import { test } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { RedisReader, type RedisReply, RedisReplyError } from "../../lib/redis/redis_reader.ts";
import { parseRedisUrl } from "../../lib/redis/redis_address.ts";

type Heard = [reply: RedisReply, isPush: boolean];

/** Reads bytes in pieces that end at `cuts`. */
function read(bytes: Buffer, cuts: readonly number[] = []): Heard[] {
  const reader = new RedisReader();
  const heard: Heard[] = [];
  let begin = 0;
  for (const end of [...[...cuts].sort((a, b) => a - b), bytes.length]) {
    if (end <= begin) continue;
    reader.take(bytes.subarray(begin, end), (...reply) => void heard.push(reply));
    begin = end;
  }
  return heard;
}

const KINDS: readonly [name: string, text: string, reply: RedisReply][] = [
  ["text", "$5\r\nhello\r\n", "hello"],
  ["text of several bytes a character", "$5\r\né€\r\n", "é€"],
  ["text with line ends", "$6\r\na\r\nb\r\n\r\n", "a\r\nb\r\n"],
  ["no text", "$-1\r\n", null],
  ["empty text", "$0\r\n\r\n", ""],
  ["a line", "+OK\r\n", "OK"],
  ["a number", ":-42\r\n", -42],
  ["a real number", ",1.5\r\n", 1.5],
  ["a large number", "(12345678901234567890\r\n", "12345678901234567890"],
  ["yes", "#t\r\n", true],
  ["nothing", "_\r\n", null],
  ["no list", "*-1\r\n", null],
  ["an empty list", "*0\r\n", []],
  ["a list of lists", "*2\r\n*1\r\n:1\r\n*2\r\n$1\r\na\r\n_\r\n", [[1], ["a", null]]],
  ["a map", "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n", ["a", 1, "b", [2]]],
  ["a set", "~2\r\n:1\r\n:2\r\n", [1, 2]],
  ["a verbatim text", "=8\r\ntxt:some\r\n", "some"],
  ["a value with attributes", "|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n", "a"],
];

for (const [name, text, reply] of KINDS) {
  test(`RedisReader reads ${name}, split at any byte`, () => {
    const bytes = Buffer.from(`${text}:7\r\n`);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(read(bytes, [cut]), [[reply, false], [7, false]]);
    }
  });
}

test("RedisReader distinguishes errors and pushes from replies", () => {
  const bytes = Buffer.from("-MOVED 1 a:1\r\n>3\r\n+smessage\r\n+n\r\n+x\r\n!5\r\nERR x\r\n");
  const [moved, push, error] = read(bytes);
  assert.ok(moved![0] instanceof RedisReplyError && moved![0].code === "MOVED");
  assert.deepEqual(push, [["smessage", "n", "x"], true]);
  assert.ok(error![0] instanceof RedisReplyError && error![0].message === "ERR x");
});

test("RedisReader reads any texts, split anywhere", () => {
  const texts = fc.array(fc.array(fc.string({ unit: "grapheme" })), { maxLength: 5 });
  fc.assert(fc.property(texts, fc.array(fc.nat(200)), (lists, cuts) => {
    const bytes = Buffer.from(
      lists.map((list) =>
        `*${list.length}\r\n` +
        list.map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`).join("")
      ).join(""),
    );
    assert.deepEqual(read(bytes, cuts), lists.map((list) => [list, false]));
  }));
});

test("RedisReader refuses input that is not RESP3", () => {
  assert.throws(() => read(Buffer.from("HTTP/1.1 400 Bad Request\r\n")), SyntaxError);
});

test("parseRedisUrl() reads hosts, user, password and database", () => {
  const access = { tls: false, username: undefined, password: undefined, database: 0 };
  assert.deepEqual(parseRedisUrl("redis://localhost"), {
    addresses: [{ host: "localhost", port: 6379 }],
    access,
  });
  assert.deepEqual(parseRedisUrl("rediss://ada:p%40s%2Fs@a:7000,b,[::1]:7002/3"), {
    addresses: [
      { host: "a", port: 7000 },
      { host: "b", port: 6379 },
      { host: "::1", port: 7002 },
    ],
    access: { tls: true, username: "ada", password: "p@s/s", database: 3 },
  });
  assert.equal(parseRedisUrl("redis://:only@a").access.password, "only");
  assert.equal(parseRedisUrl("redis://a:80").addresses[0].port, 80);
});

for (
  const url of [
    "redis://",
    "redis:///0",
    "http://a",
    "redis://a,",
    "redis://a,,b",
    "redis://a:0",
    "redis://a:x",
    "redis://a:99999",
    "redis://a/x",
    "redis://a/0/1",
    "redis://a?tls=1",
    "redis://hunter2%@a",
  ]
) {
  test(`parseRedisUrl() refuses ${url} without repeating it`, () => {
    assert.throws(
      () => parseRedisUrl(url),
      (error: Error) => error instanceof TypeError && !error.message.includes("hunter2"),
    );
  });
}
