import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { HttpConsumer } from "@sluice/sluice/consumers";
import { channelRouter, protocolRouter, route, router, withRootPath } from "@sluice/sluice/routing";
import { compilePattern } from "../../lib/routing/pattern.ts";
import { matchPath } from "../../lib/routing/router.ts";
import { communicate, communicateHttp } from "@sluice/sluice/testing";
import { Accepting } from "../support/conformance/consumers.ts";
import { beyond, conforms } from "../support/conformance/conforms.ts";

/** Responds with its name, its parameters, and the rest of the path. */
function named(name: string) {
  return class extends HttpConsumer {
    override async handle() {
      const { params, pathRemaining } = this.scope;
      await this.sendResponse(200, JSON.stringify({ name, params, pathRemaining }));
    }
  };
}

async function visit(application: ReturnType<typeof router<Scope>>, path: string) {
  const { status, text } = await communicateHttp(application, { path }).response();
  return status === 200 ? JSON.parse(text) : status;
}

conforms(
  "channels/test_routing.py::test_protocol_type_router",
  "protocolRouter() routes by the kind of request, and refuses other kinds",
  async () => {
    const http = router<Scope>([route("/x", named("http"))]);
    const websocket = router<Scope>([route("/x", Accepting)]);
    const both = protocolRouter<Scope>({ websocket, http });
    assert.equal((await visit(both, "/x")).name, "http");
    assert.equal((await communicate(both, { path: "/x" }).connect()).accepted, true);
    assert.equal(await visit(protocolRouter<Scope>({ websocket }), "/x"), 404);
    const refused = await communicate(protocolRouter<Scope>({ http }), { path: "/x" }).connect();
    assert.equal(!refused.accepted && refused.code, "NO_CONSUMER");
  },
);

conforms(
  "channels/test_routing.py::test_channel_name_router",
  "channelRouter() routes by channel, and throws for an unknown one",
  () => {
    const find = channelRouter({ test: 1, other_test: 2 });
    assert.equal(find("test"), 1);
    assert.equal(find("other_test"), 2);
    for (const name of ["chat", "", "toString"]) assert.throws(() => find(name), TypeError);
  },
);

conforms(
  "channels/test_routing.py::test_url_router",
  "router() selects the first matching route, with its parameters",
  async () => {
    const application = router<Scope>([
      route("/", named("root")),
      route("/foo/", named("foo")),
      route("/bar/*", named("bar")),
      route("/posarg/:number(\\d+)/", named("posarg")),
      route("/kwarg/:name/", named("kwarg")),
      route("/kwarg/never/", named("never")),
    ]);
    assert.equal((await visit(application, "/")).name, "root");
    assert.equal((await visit(application, "/foo/")).name, "foo");
    assert.equal((await visit(application, "/bar/baz/")).name, "bar");
    assert.deepEqual((await visit(application, "/posarg/123/")).params, { number: "123" });
    assert.deepEqual((await visit(application, "/kwarg/hello/")).params, { name: "hello" });
    assert.deepEqual((await visit(application, "/kwarg/never/")).name, "kwarg");
    assert.equal(await visit(application, "/nonexistent/"), 404);
  },
);

conforms(
  "channels/test_routing.py::test_url_router_path",
  "a typed parameter is converted to its type",
  async () => {
    const application = router<Scope>([
      route("/author/:name/", named("author")),
      route("/year/:year{int}/", named("year")),
    ]);
    assert.deepEqual((await visit(application, "/year/2012/")).params, { year: 2012 });
    assert.deepEqual((await visit(application, "/author/ada/")).params, { name: "ada" });
    assert.equal(await visit(application, "/year/soon/"), 404);
  },
);

conforms(
  [
    "channels/test_routing.py::test_url_router_nesting",
    "channels/test_routing.py::test_url_router_nesting_path",
  ],
  "nested routers combine their parameters, even behind a middleware, and the inner one wins",
  async () => {
    const inner = router<Scope>([
      route("/book/:book/page/:page{int}/", named("page")),
      route("/same/:author/", named("same")),
    ]);
    const outer = router<Scope>([
      route("/universe/:universe{int}/author/:author/*", (scope: Scope) => inner(scope)),
    ]);
    const found = await visit(outer, "/universe/42/author/ada/book/notes/page/10/");
    assert.deepEqual(found.params, { universe: 42, author: "ada", book: "notes", page: 10 });
    const same = await visit(outer, "/universe/42/author/ada/same/grace/");
    assert.equal(same.params.author, "grace");
    assert.equal(await visit(outer, "/universe/42/author/ada/book/notes/page/10/more/"), 404);
    assert.equal(await visit(outer, "/universe/42/author/ada/blub/"), 404);
  },
);

conforms(
  "channels/test_routing.py::test_path_remaining",
  "an inner router without a matching route lets the outer ones continue, even with a root path",
  async () => {
    const inner = router<Scope>([route("/no-match/", named("inner"))]);
    const outer = router<Scope>([
      route("/prefix/*", inner),
      route("/prefix/stuff/", named("stuff")),
    ]);
    const outermost = router<Scope>([route("/*", outer)]);
    assert.equal((await visit(outermost, "/prefix/stuff/")).name, "stuff");
    const rooted = withRootPath<Scope>("/mounted", outermost);
    assert.equal((await visit(rooted, "/mounted/prefix/stuff/")).name, "stuff");
    assert.equal(await visit(rooted, "/mounted/mounted/prefix/stuff/"), 404);
    assert.equal(await visit(rooted, "/mounted/prefix/mounted/stuff/"), 404);
    assert.equal(await visit(rooted, "/prefix/stuff/"), 404);
    assert.equal(await visit(rooted, "/mountedx/prefix/stuff/"), 404);
  },
);

conforms(
  "channels/test_routing.py::test_invalid_routes",
  "an invalid pattern is refused when the route is created",
  () => {
    for (const pattern of ["prefix", "/:", "/:a/:a", "/a*", "/:a{float}"]) {
      assert.throws(() => route(pattern, Accepting), TypeError);
    }
  },
);

conforms(
  [
    "daphne/test_websocket.py::test_root_path",
    "daphne/test_http_request.py::test_root_path_header",
  ],
  "withRootPath() removes the prefix for routing and keeps scope.path; no header sets it",
  async () => {
    const application = withRootPath<Scope>("/a/b", router<Scope>([route("/", named("home"))]));
    const headers = { "daphne-root-path": "/evil" };
    const { text } = await communicateHttp(application, { path: "/a/b", headers }).response();
    assert.equal(JSON.parse(text).name, "home");
    for (const wrong of ["a", "/", "/a/"]) {
      assert.throws(() => withRootPath<Scope>(wrong, application), TypeError);
    }
  },
);

beyond(
  "no route is 404",
  "a path without a route is a 404 even for an upgrade, not a 500",
  async () => {
    const refused = await communicate(router<Scope>([]), { path: "/nothing" }).connect();
    assert.deepEqual(refused, { accepted: false, status: 404, code: "NO_CONSUMER" });
  },
);

beyond("linear patterns", "matching takes time linear in the length of the path", () => {
  const pattern = compilePattern("/a/:x/b/:y/c");
  assert.equal(matchPath(pattern, `/a/${"b/".repeat(50_000)}`), undefined);
});

beyond("one consumer per connection", "each connection has its own consumer", async () => {
  const seen = new Set<unknown>();
  class Counting extends Accepting {
    override connect() {
      seen.add(this);
      return super.connect();
    }
  }
  const application = router<Scope>([route("/", Counting)]);
  await communicate(application).connect();
  await communicate(application).connect();
  assert.equal(seen.size, 2);
});
