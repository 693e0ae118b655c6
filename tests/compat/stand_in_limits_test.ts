import assert from "node:assert/strict";
import { type ComponentChild, h } from "preact";
import { App, cors, csrf, HttpError, ipFilter, trailingSlashes } from "fresh";
import { Builder } from "fresh/dev";
import { Partial } from "fresh/runtime";
import { fetcher, silently, standInTest as test } from "../support/compat/fresh_app.ts";

const SWITCH = /stand-in for Fresh.*deno task fresh upstream/;

const MISSING: readonly [feature: string, use: () => unknown][] = [
  ["cors()", () => cors()],
  ["csrf()", () => csrf()],
  ["ipFilter()", () => ipFilter({})],
  ["trailingSlashes()", () => trailingSlashes("never")],
  ["App.ws()", () => new App().ws("/ws", {})],
  [
    "Builder.onTransformStaticFile()",
    () => new Builder().onTransformStaticFile({ pluginName: "none", filter: /x/ }, () => {}),
  ],
  ["The builder option target", () => new Builder({ target: "es2022" } as object)],
];

for (const [feature, use] of MISSING) {
  test(`${feature} throws an error that names it and the command to switch`, () => {
    assert.throws(use, ({ message }: Error) => message.includes(feature) && SWITCH.test(message));
  });
}

test("ctx.upgrade() with handlers is a 501 that names the command to switch", async () => {
  const upgrade = (ctx: { upgrade(handlers: object): unknown }) => ctx.upgrade({ message() {} });
  const app = new App().get("/ws", (ctx) => upgrade(ctx) as Response);
  const answer = await silently(() => fetcher(app)("/ws"));
  assert.equal(answer.status, 501);
  assert.match(await answer.text(), SWITCH);
});

const attribute = (name: string) => h("main", { [name]: true } as Record<string, unknown>);
const PAGES: readonly [what: string, vnode: () => ComponentChild, named: RegExp][] = [
  ["<Partial>", () => h(Partial, { name: "part" }), /<Partial name="part">/],
  ["f-client-nav", () => attribute("f-client-nav"), /f-client-nav/],
  ["f-partial", () => attribute("f-partial"), /f-partial/],
];

for (const [what, vnode, named] of PAGES) {
  test(
    `a page with ${what} is a 501 that names the command to switch to upstream`,
    async () => {
      const fetch = fetcher(new App().get("/", (ctx) => ctx.render(vnode() as h.JSX.Element)));
      const answer = await silently(() => fetch("/"));
      assert.equal(answer.status, 501);
      const text = await answer.text();
      assert.match(text, named);
      assert.match(text, SWITCH);
    },
  );

  test(`an error page receives the 501 of a page with ${what}`, async () => {
    const app = new App()
      .onError("*", ({ error }) => new Response((error as HttpError).message, { status: 501 }))
      .get("/", (ctx) => ctx.render(vnode() as h.JSX.Element));
    assert.match(await (await fetcher(app)("/")).text(), SWITCH);
  });
}
