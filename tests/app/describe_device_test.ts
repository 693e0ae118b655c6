import { test } from "node:test";
import assert from "node:assert/strict";
import { describeDevice, shortenAddress } from "../../app/auth/describe_device.ts";

const MOZILLA = "Mozilla/5.0 ";
const CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0";
const DEVICES: [userAgent: string, device: string][] = [
  [`${MOZILLA}(X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0`, "Firefox on Linux"],
  [`${MOZILLA}(Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`, "Chrome on Windows"],
  [`${MOZILLA}(Windows NT 10.0) ${CHROME} Safari/537.36 Edg/141.0`, "Edge on Windows"],
  [`${MOZILLA}(Linux; Android 15) ${CHROME} Mobile Safari/537.36`, "Chrome on Android"],
  [
    `${MOZILLA}(iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1`,
    "Safari on iPhone",
  ],
  [`${MOZILLA}(Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605`, "Safari on macOS"],
  ["curl/8.5.0", "curl"],
  ["Deno/2.9.6", "Deno"],
  ["", "Unknown device"],
  ["<script>alert(1)</script>", "Unknown device"],
];
for (const [userAgent, device] of DEVICES) {
  test(`describeDevice() returns ${device} for "${userAgent}"`, () => {
    assert.equal(describeDevice(userAgent), device);
  });
}

test("shortenAddress() keeps the network and drops the host", () => {
  assert.equal(shortenAddress("192.0.2.7"), "192.0.2.x");
  assert.equal(shortenAddress("2001:db8:1:2:3:4:5:6"), "2001:db8:1:…");
  assert.equal(shortenAddress(undefined), undefined);
  assert.equal(shortenAddress("unknown"), undefined);
});
