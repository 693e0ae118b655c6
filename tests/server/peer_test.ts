import { test } from "node:test";
import assert from "node:assert/strict";
import { Refusal } from "@sluice/sluice";
import { networkOf } from "../../lib/core/request_values.ts";
import { createLog, resolvePeer } from "@sluice/sluice/server";

const REMOTE = { hostname: "10.0.0.2", port: 1 };

/** A log that collects its lines by level. */
function keepingLog() {
  const lines: string[] = [];
  const log = createLog({ level: "debug", write: (line) => lines.push(line) });
  return { log, lines, warnings: () => lines.filter((line) => line.includes(" WARN ")) };
}

function peerOf(headers: Record<string, string>, options = {}) {
  const { log } = keepingLog();
  const request = new Request("http://10.0.0.9:8000/ws/echo", { headers });
  return resolvePeer(request, { remoteAddr: REMOTE }, { trustProxy: true, log, ...options });
}

const FORWARDED: [value: string, address: string][] = [
  ["198.51.100.1", "198.51.100.1"],
  ["198.51.100.1:40001", "198.51.100.1"],
  ["6.6.6.6, 198.51.100.1:40001", "198.51.100.1"],
  ["6.6.6.6,198.51.100.1 ,", "198.51.100.1"],
  ['"198.51.100.1:40001"', "198.51.100.1"],
  ["2001:db8::1", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["[2001:db8::1]:443", "2001:db8::1"],
  ['"[2001:db8::1]:443"', "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["[fe80::1%eth0]:443", "fe80::1"],
  ["::ffff:198.51.100.1", "198.51.100.1"],
  ["::FFFF:c633:6401", "198.51.100.1"],
  ["0:0:0:0:0:ffff:c633:6401", "198.51.100.1"],
  ["[::ffff:198.51.100.1]:40001", "198.51.100.1"],
  ["64:ff9b::198.51.100.1", "64:ff9b::198.51.100.1"],
  ["::", "::"],
];
for (const [value, address] of FORWARDED) {
  test(`resolvePeer() reads X-Forwarded-For: ${value}`, () => {
    assert.equal(peerOf({ "x-forwarded-for": value }).address, address);
    assert.equal(peerOf({ "x-forwarded-for": value }, { trustProxy: false }).address, "10.0.0.2");
  });
}

const GARBAGE = [
  "unknown",
  "_hidden",
  "app.example.com",
  "198.51.100",
  "198.51.100.256",
  "198.51.100.01",
  "0x7f.0.0.1",
  "198.51.100.1:",
  "198.51.100.1:port",
  "198.51.100.1:400010",
  "[198.51.100.1]:1",
  "2001:db8::1::2",
  "2001:db8:0:0:0:0:0:1:443",
  "[2001:db8::1",
  "[2001:db8::1]443",
  "2001:db8::g",
  "::ffff:198.51.100.256",
  "for=198.51.100.1",
  "a".repeat(10_000),
  "1".repeat(10_000),
  ":".repeat(10_000),
  "%".repeat(10_000),
];
for (const value of GARBAGE) {
  test(`resolvePeer() uses the peer's address for X-Forwarded-For: ${value.slice(0, 40)}`, () => {
    assert.equal(peerOf({ "x-forwarded-for": value }).address, "10.0.0.2");
  });
}

test("resolvePeer() warns once of an unreadable address, then logs at debug level", () => {
  const { log, lines, warnings } = keepingLog();
  for (let time = 0; time < 3; time++) peerOf({ "x-forwarded-for": `unknown ${time}` }, { log });
  assert.equal(warnings().length, 1);
  assert.equal(lines.length, 3);
  peerOf({ "x-forwarded-for": "198.51.100.1" }, { log });
  peerOf({}, { log });
  assert.equal(lines.length, 3);
});

test("resolvePeer() parses the connection's address like a forwarded one", () => {
  const request = new Request("http://a/");
  const addressOf = (hostname: string) =>
    resolvePeer(request, { remoteAddr: { hostname, port: 1 } }).address;
  assert.equal(addressOf("::ffff:127.0.0.1"), "127.0.0.1");
  assert.equal(addressOf("fe80::1%2"), "fe80::1");
  assert.equal(addressOf("2001:db8::1"), "2001:db8::1");
  assert.equal(resolvePeer(request, undefined).address, "unknown");
});

const SCHEMES: [value: string | undefined, protocol: string][] = [
  ["https", "https:"],
  ["http", "http:"],
  ["wss", "https:"],
  ["ws", "http:"],
  ["WSS", "https:"],
  ["HtTpS", "https:"],
  ["http, https", "https:"],
  ["https, http", "http:"],
  ["gopher", "http:"],
  ["constructor", "http:"],
  ["", "http:"],
  [undefined, "http:"],
];
for (const [value, protocol] of SCHEMES) {
  test(`resolvePeer() reads X-Forwarded-Proto: ${value} as ${protocol}`, () => {
    const headers: Record<string, string> = value === undefined
      ? {}
      : { "x-forwarded-proto": value };
    assert.equal(peerOf(headers).url.protocol, protocol);
    assert.equal(peerOf(headers, { trustProxy: false }).url.protocol, "http:");
    const publicUrl = "https://app.example.com";
    assert.equal(peerOf(headers, { publicUrl }).url.href, "https://app.example.com/ws/echo");
  });
}

const HOSTS: [host: string, shown: string][] = [
  ["app.example.com", "app.example.com"],
  ["APP.example.com:80", "app.example.com"],
  ["app.example.com:8443", "app.example.com:8443"],
  ["app.example.com:", "app.example.com"],
  ["app_1:8000", "app_1:8000"],
  ["192.0.2.7:8000", "192.0.2.7:8000"],
  ["[2001:DB8::1]:8000", "[2001:db8::1]:8000"],
  ["[::1]", "[::1]"],
  ["app.example.com.", "app.example.com."],
];
for (const [host, shown] of HOSTS) {
  test(`resolvePeer() accepts Host: ${host}`, () => {
    assert.equal(peerOf({ host }, { trustProxy: false }).url.host, shown);
    assert.equal(peerOf({ "x-forwarded-host": host }).url.host, shown);
    assert.equal(peerOf({ "x-forwarded-host": `evil.example, ${host}` }).url.host, shown);
  });
}

const MALFORMED = [
  "",
  "a b",
  "a/b",
  "a/evil?",
  "a?b",
  "a#b",
  "a\\b",
  "user@a",
  "user:password@a",
  "a,b",
  "a:99999",
  "a:1:2",
  "a:b",
  ":8000",
  "[::1",
  "::1",
  "[::g]",
  "[::1]x",
  "[fe80::1%25eth0]",
  "%61",
  "xn--",
  "1.2.3.256",
  "a\tb",
  "ä.example",
  "a".repeat(300),
];
for (const host of MALFORMED) {
  test(`resolvePeer() refuses Host: ${host.slice(0, 40)} with BAD_HOST`, () => {
    const isBadHost = (error: unknown) =>
      error instanceof Refusal && error.code === "BAD_HOST" && error.status === 400;
    assert.throws(() => peerOf({ host }), isBadHost);
    assert.throws(() => peerOf({ host }, { publicUrl: "https://app.example.com" }), isBadHost);
    // A list has a last element, and an empty value is no header.
    if (host !== "" && !host.includes(",")) {
      assert.throws(() => peerOf({ "x-forwarded-host": host }), isBadHost);
    }
    assert.equal(
      peerOf({ "x-forwarded-host": host }, { trustProxy: false }).url.host,
      "10.0.0.9:8000",
    );
  });
}

test("networkOf() counts all spellings of an address as one client, and clients behind NAT64 separately", () => {
  const one = ["198.51.100.1", "198.51.100.1:1", "::ffff:198.51.100.1", "::ffff:c633:6401"];
  assert.equal(new Set(one.map(networkOf)).size, 1);
  assert.equal(networkOf("64:ff9b::198.51.100.1"), "198.51.100.1");
  assert.equal(networkOf("64:FF9B::c633:6401"), "198.51.100.1");
  assert.notEqual(networkOf("64:ff9b::1.2.3.4"), networkOf("64:ff9b::1.2.3.5"));
  assert.notEqual(networkOf("64:ff9b:1::1.2.3.4"), networkOf("64:ff9b:1::1.2.3.5"));
  assert.equal(networkOf("64:ff9b:2::1"), networkOf("64:ff9b:2::2"));
  assert.equal(networkOf("2001:db8::1"), networkOf("[2001:db8:0:0:ffff::2]:443"));
});
