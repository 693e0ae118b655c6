import assert from "node:assert/strict";
import { test } from "node:test";
import { App, HttpError } from "fresh";
import { fetcher, silently } from "../support/compat/fresh_app.ts";

test("App.get() answers only GET, and only at its path", async () => {
  const fetch = fetcher(new App().get("/here", (ctx) => ctx.text("here")));
  assert.equal(await (await fetch("/here")).text(), "here");
  assert.equal((await fetch("/there")).status, 404);
});

for (const method of ["post", "put", "patch", "delete"] as const) {
  test(`App.${method}() answers only its method`, async () => {
    const fetch = fetcher(new App()[method]("/", (ctx) => ctx.text(ctx.req.method)));
    const response = await fetch("/", { method: method.toUpperCase() });
    assert.equal(await response.text(), method.toUpperCase());
    assert.equal((await fetch("/")).status, 405);
  });
}

test("App.all() answers every method", async () => {
  const fetch = fetcher(new App().all("/", (ctx) => ctx.text(ctx.req.method)));
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    assert.equal(await (await fetch("/", { method })).text(), method);
  }
});

test("App answers HEAD with the headers of GET and no body", async () => {
  const app = new App().get("/", () => new Response("body", { headers: { "x-get": "yes" } }));
  const response = await fetcher(app)("/", { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-get"), "yes");
  assert.equal(await response.text(), "");
});

test("App.head() takes precedence over GET", async () => {
  const app = new App()
    .get("/", (ctx) => ctx.text("", { headers: { "x-from": "get" } }))
    .head("/", (ctx) => ctx.text("", { headers: { "x-from": "head" } }));
  const response = await fetcher(app)("/", { method: "HEAD" });
  assert.equal(response.headers.get("x-from"), "head");
});

test("App answers 405 when only another method is registered", async () => {
  const response = await fetcher(new App().get("/", (ctx) => ctx.text("")))("/", { method: "PUT" });
  assert.equal(response.status, 405);
  assert.equal(await response.text(), "Method Not Allowed");
});

test("App answers OPTIONS with the registered methods", async () => {
  const app = new App().get("/", (ctx) => ctx.text("")).post("/", (ctx) => ctx.text(""));
  const response = await fetcher(app)("/", { method: "OPTIONS" });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get("Allow"), "GET, POST");
});

test("App prefers a fixed path to an earlier pattern", async () => {
  const app = new App()
    .get("/:name", (ctx) => ctx.text(`pattern ${ctx.params.name}`))
    .get("/fixed", (ctx) => ctx.text("fixed"));
  assert.equal(await (await fetcher(app)("/fixed")).text(), "fixed");
  assert.equal(await (await fetcher(app)("/other")).text(), "pattern other");
});

test("App tries patterns in order of registration", async () => {
  const app = new App()
    .get("/:first", (ctx) => ctx.text("first"))
    .get("/:second", (ctx) => ctx.text("second"));
  assert.equal(await (await fetcher(app)("/any")).text(), "first");
});

test("App uses the first matching pattern, even if its method differs", async () => {
  const app = new App()
    .post("/:first", (ctx) => ctx.text("first"))
    .get("/*", (ctx) => ctx.text("second"));
  assert.equal((await fetcher(app)("/any")).status, 405);
});

test("App matches a path with and without a trailing slash", async () => {
  const fetch = fetcher(new App().get("/path", (ctx) => ctx.text("found")));
  assert.equal(await (await fetch("/path/")).text(), "found");
});

test("App decodes parameters, except encoded slashes", async () => {
  const fetch = fetcher(new App().get("/:name", (ctx) => ctx.text(ctx.params.name)));
  assert.equal(await (await fetch("/caf%C3%A9")).text(), "café");
  assert.equal(await (await fetch("/a%2Fb")).text(), "a%2Fb");
});

test("ctx.route is the pattern that matched, and null without one", async () => {
  const seen: (string | null)[] = [];
  const app = new App()
    .use((ctx) => {
      seen.push(ctx.route);
      return ctx.next();
    })
    .get("/users/:id", (ctx) => ctx.text(""));
  await fetcher(app)("/users/1");
  await fetcher(app)("/nothing");
  assert.deepEqual(seen, ["/users/:id", null]);
});

test("App.use() runs middlewares in order, around later handlers", async () => {
  const order: string[] = [];
  const step = (name: string) => async (ctx: { next(): Promise<Response> }) => {
    order.push(`+${name}`);
    const response = await ctx.next();
    order.push(`-${name}`);
    return response;
  };
  const app = new App().use(step("a"), step("b")).use("/below", step("c")).get("/below", (ctx) => {
    order.push("handler");
    return ctx.text("");
  });
  await fetcher(app)("/below");
  assert.deepEqual(order, ["+a", "+b", "+c", "handler", "-c", "-b", "-a"]);
});

test("App.use() applies to later registrations below its path", async () => {
  const mark = () => (ctx: { state: unknown; next(): Promise<Response> }) => {
    (ctx.state as { marked?: boolean }).marked = true;
    return ctx.next();
  };
  const answer = (ctx: { state: unknown; text(text: string): Response }) =>
    ctx.text(String((ctx.state as { marked?: boolean }).marked ?? false));
  const app = new App()
    .get("/in/before", answer)
    .use("/in", mark())
    .get("/in", answer)
    .get("/in/after", answer)
    .get("/out", answer);
  const fetch = fetcher(app);
  assert.equal(await (await fetch("/in/before")).text(), "false");
  assert.equal(await (await fetch("/in")).text(), "true");
  assert.equal(await (await fetch("/in/after")).text(), "true");
  assert.equal(await (await fetch("/out")).text(), "false");
});

test("App.use() runs for requests without a route", async () => {
  const app = new App().use((ctx) => ctx.text("caught", { status: 299 }));
  assert.equal((await fetcher(app)("/nothing")).status, 299);
});

test("App.use() accepts a function that loads a middleware", async () => {
  let loads = 0;
  const app = new App()
    .use(() => {
      loads++;
      return Promise.resolve((ctx) => ctx.text("lazy"));
    });
  const fetch = fetcher(app);
  assert.equal(await (await fetch("/")).text(), "lazy");
  assert.equal(await (await fetch("/")).text(), "lazy");
  assert.equal(loads, 1);
});

test("App.notFound() answers unknown paths and thrown 404s", async () => {
  const app = new App()
    .notFound((ctx) => ctx.text("nothing", { status: 404 }))
    .get("/thrown", () => {
      throw new HttpError(404);
    });
  assert.equal(await (await fetcher(app)("/unknown")).text(), "nothing");
  assert.equal(await (await fetcher(app)("/thrown")).text(), "nothing");
});

test("App.onError() handles errors thrown below its path, in ctx.error", async () => {
  const fail = () => {
    throw new Error("inside");
  };
  const app = new App()
    .onError("/api", (ctx) => ctx.text(`caught ${(ctx.error as Error).message}`, { status: 502 }))
    .get("/api/call", fail)
    .get("/page", fail);
  assert.equal(await (await fetcher(app)("/api/call")).text(), "caught inside");
  const outside = await silently(() => fetcher(app)("/page"));
  assert.equal(outside.status, 500);
});

test("App answers an uncaught HttpError with its status and message", async () => {
  const app = new App()
    .get("/said", () => {
      throw new HttpError(409, "twice");
    })
    .get("/silent", () => {
      throw new HttpError(410);
    });
  const said = await fetcher(app)("/said");
  assert.equal(said.status, 409);
  assert.equal(await said.text(), "twice");
  assert.equal(await (await fetcher(app)("/silent")).text(), "Gone");
});

test("App reveals only the status of an unexpected error", async () => {
  const app = new App().get("/", () => {
    throw new Error("the password is hunter2");
  });
  const response = await silently(() => fetcher(app)("/", { headers: { accept: "text/html" } }));
  assert.equal(response.status, 500);
  assert.equal(await response.text(), "Internal server error");
});

test("App answers 500 when a handler returns no response", async () => {
  const app = new App().get("/", () => undefined as unknown as Response);
  assert.equal((await silently(() => fetcher(app)("/"))).status, 500);
});

test("App.mountApp() adds the routes of another app below a path", async () => {
  const inner = new App()
    .use(async (ctx) => {
      const response = await ctx.next();
      response.headers.set("x-inner", "yes");
      return response;
    })
    .get("/", (ctx) => ctx.text("inner index"))
    .get("/page", (ctx) => ctx.text("inner page"));
  const fetch = fetcher(new App().get("/", (ctx) => ctx.text("outer")).mountApp("/inner", inner));
  const page = await fetch("/inner/page");
  assert.equal(await page.text(), "inner page");
  assert.equal(page.headers.get("x-inner"), "yes");
  assert.equal(await (await fetch("/inner")).text(), "inner index");
  assert.equal((await fetch("/")).headers.get("x-inner"), null);
});

test("App serves everything below its base path", async () => {
  const fetch = fetcher(new App({ basePath: "/base" }).get("/page", (ctx) => ctx.text("page")));
  assert.equal(await (await fetch("/base/page")).text(), "page");
  assert.equal((await fetch("/page")).status, 404);
});

test("App removes repeated slashes from the URL", async () => {
  const fetch = fetcher(new App().get("/a/b", (ctx) => ctx.text(ctx.url.pathname)));
  assert.equal(await (await fetch("//a///b")).text(), "/a/b");
});

test("App trusts forwarded headers only if configured", async () => {
  const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "example.com" };
  const answers = [true, false].map(async (trustProxy) => {
    const app = new App({ trustProxy }).get("/", (ctx) => ctx.text(ctx.url.origin));
    return await (await fetcher(app)("/", { headers })).text();
  });
  assert.deepEqual(await Promise.all(answers), ["https://example.com", "http://localhost"]);
});

test("ctx.redirect() answers 302 or the given status", async () => {
  const app = new App()
    .get("/found", (ctx) => ctx.redirect("/there?a=b"))
    .get("/other", (ctx) => ctx.redirect("https://example.com/", 303));
  const cases: [string, number, string][] = [
    ["/found", 302, "/there?a=b"],
    ["/other", 303, "https://example.com/"],
  ];
  for (const [path, status, location] of cases) {
    const response = await fetcher(app)(path);
    assert.equal(response.status, status);
    assert.equal(response.headers.get("location"), location);
  }
});

test("ctx.redirect() never leaves the site for a path", async () => {
  const app = new App().get("/", (ctx) => ctx.redirect("//evil.example/a//b?next=//c"));
  const response = await fetcher(app)("/");
  assert.equal(response.headers.get("location"), "/evil.example/a/b?next=//c");
});

test("ctx.html(), ctx.json() and ctx.text() set the content type", async () => {
  const app = new App()
    .get("/html", (ctx) => ctx.html("<p>", { status: 201 }))
    .get("/json", (ctx) => ctx.json({ a: 1 }))
    .get("/text", (ctx) => ctx.text("a"));
  const types = ["/html", "/json", "/text"].map(async (path) => {
    const type = (await fetcher(app)(path)).headers.get("content-type");
    return type?.split(";")[0];
  });
  assert.deepEqual(await Promise.all(types), ["text/html", "application/json", "text/plain"]);
  assert.equal((await fetcher(app)("/html")).status, 201);
});

test("ctx.stream() sends the chunks of an iterable", async () => {
  const app = new App().get("/", (ctx) =>
    ctx.stream(function* () {
      yield "one ";
      yield "two";
    }));
  assert.equal(await (await fetcher(app)("/")).text(), "one two");
});
