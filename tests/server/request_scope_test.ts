import { test } from "node:test";
import assert from "node:assert/strict";
import { fakeConnection } from "../fake_connection.ts";
import { resolvePeer } from "../../lib/server/peer.ts";
import { RequestScope } from "../../lib/server/request_scope.ts";

function createScope(headers: HeadersInit) {
  const request = new Request("http://sluice.test/ws/a%20b?x=1", { headers });
  const peer = resolvePeer(request, { hostname: "192.0.2.1", port: 1 });
  return new RequestScope(request, peer, fakeConnection(), "websocket");
}

test("RequestScope says the same before and after its request is answered", () => {
  const headers = new Headers({
    cookie: "a=1; b=2",
    "sec-websocket-protocol": "sluice.v1, sluice.ticket.t0ken",
    "x-colons": "a: b: c",
    "x-empty": "",
  });
  const scope = createScope(headers);
  const look = () => ({
    headers: [...scope.headers],
    cookies: [...scope.cookies],
    subprotocols: [...scope.subprotocols],
    ticket: scope.ticket,
    url: scope.url.href,
    path: scope.path,
    query: scope.query.get("x"),
    address: scope.address,
  });
  const before = look();
  scope.settle();
  assert.deepEqual(look(), before);
  assert.deepEqual(before.headers, [...headers]);
  assert.equal(before.url, "http://sluice.test/ws/a%20b?x=1");
});

test("RequestScope keeps nothing of the request's own headers, which cannot be read any more", () => {
  const headers = new Headers({ "x-name": "before" });
  const request = new Request("http://sluice.test/", { headers });
  const scope = new RequestScope(
    request,
    resolvePeer(request, undefined),
    fakeConnection(),
    "http",
  );
  scope.settle();
  request.headers.set("x-name", "after");
  assert.equal(scope.headers.get("x-name"), "before");
});
