import assert from "node:assert/strict";
import { test } from "node:test";
import { App, csp, HttpError, page, type PageProps } from "fresh";
import { asset, Head } from "fresh/runtime";
import { fetcher, silently } from "../support/compat/fresh_app.ts";

async function render(app: App<unknown>, path = "/"): Promise<string> {
  return await (await fetcher(app)(path)).text();
}

function Frame({ Component }: PageProps) {
  return (
    <html>
      <head>
        <title>default</title>
      </head>
      <body>
        <Component />
      </body>
    </html>
  );
}

test("ctx.render() adds missing parts of the document", async () => {
  const app = new App().get("/", (ctx) => ctx.render(<h1>hello</h1>));
  const response = await fetcher(app)("/");
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(
    await response.text(),
    '<!DOCTYPE html><html><head><meta charset="utf-8"/></head><body><h1>hello</h1></body></html>',
  );
});

test("ctx.render() accepts a status and headers", async () => {
  const app = new App().get(
    "/",
    (ctx) => ctx.render(<p />, { status: 418, headers: { "x-page": "yes" } }),
  );
  const response = await fetcher(app)("/");
  assert.equal(response.status, 418);
  assert.equal(response.headers.get("x-page"), "yes");
});

test("ctx.render() escapes text and attributes", async () => {
  const evil = `<script>alert(1)</script> & "quoted"`;
  const html = await render(new App().get("/", (ctx) => ctx.render(<p title={evil}>{evil}</p>)));
  assert.ok(!html.includes("<script>"));
  assert.match(html, /title="[^"]*&quot;quoted&quot;"/);
  assert.match(html, />&lt;script/);
});

test("ctx.render() refuses values that are not JSX", async () => {
  const app = new App().get("/", (ctx) => ctx.render("text" as unknown as null));
  assert.equal((await silently(() => fetcher(app)("/"))).status, 500);
});

test("App.appWrapper() and App.layout() surround pages from the outside in", async () => {
  const app = new App()
    .appWrapper(Frame)
    .layout("*", ({ Component }) => (
      <main>
        <Component />
      </main>
    ))
    .layout("/in", ({ Component }) => (
      <section>
        <Component />
      </section>
    ))
    .get("/", (ctx) => ctx.render(<p>out</p>))
    .get("/in", (ctx) => ctx.render(<p>in</p>));
  assert.match(await render(app), /<body><main><p>out<\/p><\/main><\/body>/);
  assert.match(await render(app, "/in"), /<main><section><p>in<\/p><\/section><\/main>/);
});

test("App.layout() can skip outer layouts and the app wrapper", async () => {
  const app = new App()
    .appWrapper(Frame)
    .layout("*", ({ Component }) => (
      <main>
        <Component />
      </main>
    ))
    .layout("/a", ({ Component }) => (
      <i>
        <Component />
      </i>
    ), { skipInheritedLayouts: true })
    .layout("/b", ({ Component }) => (
      <b>
        <Component />
      </b>
    ), { skipAppWrapper: true })
    .get("/a", (ctx) => ctx.render(<p />))
    .get("/b", (ctx) => ctx.render(<p />));
  assert.match(await render(app, "/a"), /<body><i><p><\/p><\/i><\/body>/);
  assert.doesNotMatch(await render(app, "/b"), /<title>/);
});

test("ctx.render() can skip layouts and the app wrapper", async () => {
  const app = new App()
    .appWrapper(Frame)
    .layout("*", ({ Component }) => (
      <main>
        <Component />
      </main>
    ))
    .get("/a", (ctx) => ctx.render(<p />, {}, { skipInheritedLayouts: true }))
    .get("/b", (ctx) => ctx.render(<p />, {}, { skipAppWrapper: true }));
  assert.match(await render(app, "/a"), /<body><p><\/p><\/body>/);
  const bare = await render(app, "/b");
  assert.match(bare, /<main><p><\/p><\/main>/);
  assert.doesNotMatch(bare, /<title>/);
});

test("a layout may be async and return a response instead of the page", async () => {
  const app = new App()
    .layout("*", async ({ Component, url }) => {
      await Promise.resolve();
      if (url.pathname === "/away") return new Response("away");
      return (
        <main>
          <Component />
        </main>
      );
    })
    .get("/", (ctx) => ctx.render(<p />))
    .get("/away", (ctx) => ctx.render(<p />));
  assert.match(await render(app), /<main><p><\/p><\/main>/);
  assert.equal(await render(app, "/away"), "away");
});

test("App.route() renders its component with the data of its handler", async () => {
  const app = new App().route("/", {
    handler: { GET: () => page("data", { status: 201 }) },
    component: ({ data }) => <p>{data as string}</p>,
  });
  const response = await fetcher(app)("/");
  assert.equal(response.status, 201);
  assert.match(await response.text(), /<p>data<\/p>/);
  assert.equal((await fetcher(app)("/", { method: "POST" })).status, 405);
});

test("App.onError() renders its component with the status of the error", async () => {
  const app = new App()
    .onError("*", { component: ({ error }) => <p>{(error as Error).message}</p> })
    .get("/", () => {
      throw new HttpError(409, "twice");
    });
  const response = await fetcher(app)("/");
  assert.equal(response.status, 409);
  assert.match(await response.text(), /<p>twice<\/p>/);
});

test("<Head> replaces the title and adds the rest to the document's head", async () => {
  const app = new App().appWrapper(Frame).get("/", (ctx) =>
    ctx.render(
      <p>
        <Head>
          <title>mine</title>
          <meta name="author" content="me" />
        </Head>
      </p>,
    ));
  const html = await render(app);
  assert.match(html, /<head><title>mine<\/title><meta name="author" content="me"\/><\/head>/);
  assert.match(html, /<p><\/p>/);
});

test("<Head> keeps the last of several elements with one key", async () => {
  const app = new App().appWrapper(Frame).get("/", (ctx) =>
    ctx.render(
      <>
        <Head>
          <meta key="k" name="a" content="1" />
        </Head>
        <Head>
          <meta key="k" name="a" content="2" />
        </Head>
      </>,
    ));
  const html = await render(app);
  assert.equal(html.match(/<meta[^>]*name="a"/g)?.length, 1);
  assert.match(html, /content="2"/);
});

test("csp() allows a page's inline scripts and styles with the page's nonce", async () => {
  const app = new App().use(csp({ useNonce: true })).get("/", (ctx) =>
    ctx.render(
      <html>
        <head>
          <style>{"p{}"}</style>
        </head>
        <body>
          <script>globalThis.ran = true</script>
        </body>
      </html>,
    ));
  const nonces = await Promise.all([1, 2].map(async () => {
    const response = await fetcher(app)("/");
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    const nonce = /script-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1];
    assert.ok(nonce);
    assert.ok(policy.includes(`style-src 'self' 'nonce-${nonce}'`));
    assert.doesNotMatch(policy, /unsafe-inline/);
    const html = await response.text();
    assert.ok(html.includes(`<style nonce="${nonce}">`));
    assert.ok(html.includes(`<script nonce="${nonce}">`));
    return nonce;
  }));
  assert.notEqual(nonces[0], nonces[1]);
});

function Links() {
  return (
    <>
      <a href="/a/b">b</a>
      <a href="/a">a</a>
      <a href="/c">c</a>
    </>
  );
}

test("a link to the current page or a parent page is marked", async () => {
  const app = new App().get("/a/b", (ctx) => ctx.render(<Links />));
  const html = await render(app, "/a/b");
  assert.match(html, /<a href="\/a\/b"[^>]*aria-current="page"/);
  assert.match(html, /<a href="\/a"[^>]*aria-current="true"/);
  assert.match(html, /<a href="\/c">/);
});

test("asset() adds the build id only to the URL of a static file", () => {
  assert.match(asset("/a.css?x=1#y"), /^\/a\.css\?x=1&__frsh_c=[^&#]+#y$/);
  for (const other of ["https://example.com/a", "//example.com/a", "a.css"]) {
    assert.equal(asset(other), other);
  }
  assert.equal(asset(asset("/a.css")), asset("/a.css"));
});

test("the URLs of images contain the build id unless they opt out", async () => {
  const app = new App().get("/", (ctx) =>
    ctx.render(
      <>
        <img id="a" src="/a.png" />
        <img id="b" src="/b.png" data-fresh-disable-lock />
      </>,
    ));
  const html = await render(app);
  assert.match(html, /src="\/a\.png\?__frsh_c=/);
  assert.match(html, /src="\/b\.png"/);
});
