import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import { compilePattern } from "../../lib/routing/pattern.ts";
import { matchPath } from "../../lib/routing/router.ts";
import { communicate } from "@sluice/sluice/testing";

const MATCHES: [pattern: string, path: string, params: Record<string, unknown> | undefined][] = [
  ["/ws/echo", "/ws/echo", {}],
  ["/ws/echo", "/ws/echo/", undefined],
  ["/ws/echo", "/ws/echoes", undefined],
  ["/ws/e.ho", "/ws/echo", undefined],
  ["/ws/chat/:room", "/ws/chat/lobby", { room: "lobby" }],
  ["/ws/chat/:room", "/ws/chat/", undefined],
  ["/ws/chat/:room", "/ws/chat/a/b", undefined],
  ["/ws/chat/:room", "/ws/chat/caf%C3%A9", { room: "café" }],
  ["/ws/chat/:room", "/ws/chat/%E0%A4%A", undefined],
  ["/page/:number{int}", "/page/42", { number: 42 }],
  ["/page/:number{int}", "/page/4x", undefined],
  ["/page/:number{int}", "/page/9999999999999999", undefined],
  ["/tag/:tag{slug}", "/tag/a-b_c", { tag: "a-b_c" }],
  ["/tag/:tag{slug}", "/tag/a%20b", undefined],
  ["/r/:room([a-z]{1,3})/:n{int}", "/r/abc/1", { room: "abc", n: 1 }],
  ["/r/:room([a-z]{1,3})", "/r/abcd", undefined],
  ["/r/:room((a|b)/c)", "/r/b/c", { room: "b/c" }],
  ["/:a/:b", "/1/2", { a: "1", b: "2" }],
];
for (const [pattern, path, params] of MATCHES) {
  test(`the pattern ${pattern} ${params ? "matches" : "does not match"} ${path}`, () => {
    assert.deepEqual(matchPath(compilePattern(pattern), path)?.params, params);
  });
}

test("a pattern that ends in /* leaves the rest of the path", () => {
  const pattern = compilePattern("/ws/*");
  assert.equal(matchPath(pattern, "/ws/a/b")?.rest, "/a/b");
  assert.equal(matchPath(pattern, "/ws")?.rest, "/");
  assert.equal(matchPath(pattern, "/wsx"), undefined);
});

for (const pattern of ["ws", "/:", "/:a/:a", "/:a{float}", "/a*b", "/:a{int", "/*/a"]) {
  test(`compilePattern() refuses ${pattern}`, () => {
    assert.throws(() => compilePattern(pattern), TypeError);
  });
}

class Named extends Consumer {
  override async connect(): Promise<void> {
    await this.accept();
    this.send(JSON.stringify(this.scope.params));
  }
}

async function paramsAt(path: string): Promise<string | number> {
  const inner = router<Scope>([route("/:inner", Named)]);
  const other = router<Scope>([route("/:a/:b", Named)]);
  const peer = communicate(router<Scope>([route("/ws/*", inner), route("/:x/*", other)]), { path });
  const result = await peer.connect();
  return result.accepted ? String(await peer.receive()) : result.status;
}

test("a nested router sees the rest of the path and the params of both", async () => {
  assert.equal(await paramsAt("/ws/lobby"), '{"inner":"lobby"}');
});

test("a nested router without a matching route lets the outer one continue", async () => {
  assert.equal(await paramsAt("/ws/a/b"), '{"x":"ws","a":"a","b":"b"}');
});

test("a path without a route is refused with 404", async () => {
  assert.equal(await paramsAt("/nothing"), 404);
});

test("the first matching route decides", async () => {
  class Second extends Consumer {}
  const peer = communicate(router<Scope>([route("/:a", Named), route("/x", Second)]), {
    path: "/x",
  });
  await peer.connect();
  assert.equal(await peer.receive(), '{"a":"x"}');
});

test("router() tries a literal route after earlier matching patterns and before later ones", async () => {
  class Wrong extends Consumer {}
  const nowhere = router<Scope>([]);
  const application = router<Scope>([
    route("/:a{int}", Wrong),
    route("/x/y", Wrong),
    route("/x", nowhere),
    route("/:a", Named),
    route("/x", Wrong),
  ]);
  const peer = communicate(application, { path: "/x" });
  await peer.connect();
  assert.equal(await peer.receive(), '{"a":"x"}');
});
