import { test } from "node:test";
import assert from "node:assert/strict";
import { FakeConnection } from "../support/fake_connection.ts";
import { resolvePeer } from "../../lib/server/peer.ts";
import { KEPT_HEADERS } from "../../lib/server/kept_headers.ts";
import { RequestScope } from "../../lib/server/request_scope.ts";

function createScope(headers: HeadersInit) {
  const request = new Request("http://sluice.test/ws/a%20b?x=1", { headers });
  const peer = resolvePeer(request, { remoteAddr: { hostname: "192.0.2.1", port: 1 } });
  return new RequestScope(request, peer, FakeConnection.open(), "websocket");
}

const HEADERS = {
  cookie: "a=1; b=2",
  "sec-websocket-protocol": "sluice.v1, sluice.ticket.t0ken",
  "user-agent": "a: b",
  "x-name": "before",
};

for (const keep of [KEPT_HEADERS, "all"] as const) {
  const what = keep === "all" ? "all headers" : "the usual headers";
  test(`RequestScope that keeps ${what} returns the same values before and after the response`, () => {
    const scope = createScope(HEADERS);
    const look = () => ({
      agent: scope.headers.get("User-Agent"),
      authorization: scope.headers.get("authorization"),
      cookies: [...scope.cookies],
      subprotocols: [...scope.subprotocols],
      ticket: scope.ticket,
      url: scope.url.href,
      path: scope.path,
      query: scope.query.get("x"),
      address: scope.address,
    });
    const before = look();
    scope.settle(keep);
    assert.deepEqual(look(), before);
    assert.equal(before.url, "http://sluice.test/ws/a%20b?x=1");
  });
}

test("RequestScope keeps no reference to the request's own headers", () => {
  const request = new Request("http://sluice.test/", { headers: HEADERS });
  const scope = new RequestScope(
    request,
    resolvePeer(request, undefined),
    FakeConnection.open(),
    "http",
  );
  scope.settle("all");
  request.headers.set("x-name", "after");
  assert.equal(scope.headers.get("x-name"), "before");
});

test("RequestScope throws if a header is read that was not kept", () => {
  const scope = createScope(HEADERS);
  assert.equal(scope.headers.get("x-name"), "before");
  scope.settle(KEPT_HEADERS);
  assert.throws(() => scope.headers.get("X-Name"), /"X-Name" of an open socket: .* keepHeaders/);
  assert.throws(() => scope.headers.has("x-name"), TypeError);
  const other = createScope(HEADERS);
  other.settle(["x-name"]);
  assert.equal(other.headers.get("x-name"), "before");
});
