import assert from "node:assert/strict";
import { test } from "node:test";
import { findPage } from "../../tools/create/template/base/server/pages.ts";

test("findPage() of a new project sends its security headers with every status", async () => {
  const cases: readonly [method: string, path: string, status: number][] = [
    ["GET", "/", 200],
    ["GET", "/nothing", 404],
    ["POST", "/", 405],
  ];
  for (const [method, path, status] of cases) {
    const url = new URL(path, "http://127.0.0.1:8000");
    const response = await findPage(new Request(url, { method }), url);
    assert.equal(response.status, status);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff", path);
    assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'/, path);
    await response.body?.cancel();
  }
});
