import { test } from "node:test";
import assert from "node:assert/strict";
import { RateLimiter } from "@sluice/sluice/security";
import { networkOf } from "../../lib/core/request_values.ts";
import { FakeClock } from "@sluice/sluice/testing";

test("RateLimiter.take() allows a burst, then one per earned token", async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ perMinute: 60, burst: 3, clock });
  const take = () => limiter.take("ada") === undefined;
  assert.deepEqual([take(), take(), take(), take()], [true, true, true, false]);
  await clock.advance(999);
  assert.equal(take(), false);
  await clock.advance(1);
  assert.deepEqual([take(), take()], [true, false]);
});

test("RateLimiter.giveBack() returns a token, up to the burst", () => {
  const limiter = new RateLimiter({ perMinute: 60, burst: 2, clock: new FakeClock() });
  const take = () => limiter.take("ada") === undefined;
  assert.deepEqual([take(), take(), take()], [true, true, false]);
  limiter.giveBack("ada");
  assert.deepEqual([take(), take()], [true, false]);
  for (let n = 0; n < 5; n++) limiter.giveBack("ada");
  assert.deepEqual([take(), take(), take()], [true, true, false]);
});

test("RateLimiter.take() returns how long to wait", () => {
  const limiter = new RateLimiter({ perMinute: 6, burst: 1, clock: new FakeClock() });
  limiter.take("ada");
  assert.equal(limiter.take("ada"), 10);
});

test("RateLimiter.take() never earns more than the burst, and nothing for refusals", async () => {
  const clock = new FakeClock();
  const limiter = new RateLimiter({ perMinute: 60, burst: 2, clock });
  await clock.advance(3_600_000);
  const taken = Array.from({ length: 10 }, () => limiter.take("ada") === undefined);
  assert.equal(taken.filter(Boolean).length, 2);
});

test("RateLimiter counts each name separately, and drops the least recently used one", () => {
  const limiter = new RateLimiter({
    perMinute: 1,
    burst: 1,
    maxKeys: 2,
    clock: new FakeClock(),
  });
  assert.equal(limiter.take("ada"), undefined);
  assert.equal(limiter.take("grace"), undefined);
  assert.notEqual(limiter.take("ada"), undefined);
  assert.equal(limiter.take("linus"), undefined);
  assert.equal(limiter.size, 2);
  assert.notEqual(limiter.take("ada"), undefined);
});

test("RateLimiter counts an address by its network", () => {
  const limiter = new RateLimiter({ perMinute: 1, burst: 1, clock: new FakeClock() });
  assert.equal(limiter.take("2001:db8::1"), undefined);
  assert.ok(limiter.take("2001:db8:0:0:ffff::2"));
  limiter.giveBack("2001:DB8::3");
  assert.equal(limiter.take("2001:db8::1"), undefined);
});

test("new RateLimiter() refuses values that are not positive", () => {
  assert.throws(() => new RateLimiter({ perMinute: 0 }), RangeError);
  assert.throws(() => new RateLimiter({ perMinute: 1, burst: 0 }), RangeError);
});

const NETWORKS: [address: string, network: string][] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::", "2001:db8:1:2::/64"],
  ["2001:db8::5", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["unknown", "unknown"],
];
for (const [address, network] of NETWORKS) {
  test(`networkOf() returns ${network} for ${address}`, () => {
    assert.equal(networkOf(address), network);
  });
}
