import assert from "node:assert/strict";
import { test } from "node:test";
import { h } from "preact";
import { App, ipFilter } from "fresh";
import { Partial } from "fresh/runtime";
import { fetcher } from "./support.ts";

test("ipFilter() says that it is not there", () => {
  assert.throws(() => ipFilter({}), /ipFilter\(\) is not in the stand-in/);
});

for (
  const [what, vnode] of [
    ["<Partial>", h(Partial, { name: "part" })],
    ["f-client-nav", h("main", { "f-client-nav": true } as Record<string, unknown>)],
  ] as const
) {
  test(`${what} says that it is not there`, async () => {
    const errors: unknown[] = [];
    const { error } = console;
    console.error = (problem) => errors.push(problem);
    const app = new App().get("/", (ctx) => ctx.render(vnode));
    assert.equal((await fetcher(app)("/")).status, 500);
    console.error = error;
    assert.match(String(errors[0]), /not in the stand-in/);
  });
}
