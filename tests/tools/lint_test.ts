import { test } from "node:test";
import assert from "node:assert/strict";
import plugin from "../../tools/lint/plugin.ts";
import { NEVER_REJECTS } from "../../tools/lint/void_promise.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Returns the rules that `source` violates as the file at `path`. */
function broken(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, source).map(({ id }) => id.split("/")[1] ?? id);
}

const allowed: [file: string, specifier: string][] = [
  ["lib/protocol/frames.ts", "./errors.ts"],
  ["lib/core/scope.ts", "../protocol/mod.ts"],
  ["lib/core/scope.ts", "node:timers"],
  ["lib/client/connect.ts", "../protocol/mod.ts"],
  ["lib/client/backoff.ts", "../time/retry_pause.ts"],
  ["lib/redis/redis_connection.ts", "ioredis"],
  ["lib/layers/kv/kv_channel_layer.ts", "../../core/scope.ts"],
  ["lib/layers/redis/redis_channel_layer.ts", "../channel_layer.ts"],
  ["lib/sessions/with_session.ts", "../core/scope.ts"],
  ["lib/auth/tickets/tickets.ts", "jose"],
  ["lib/auth/providers/github.ts", "../_identity.ts"],
  ["lib/auth/providers/github.ts", "./_code_flow.ts"],
  ["lib/auth/with_user.ts", "../sessions/mod.ts"],
  ["lib/consumers/consumer.ts", "../layers/mod.ts"],
  ["lib/server/to_handler.ts", "node:crypto"],
  ["lib/testing/serve.ts", "../server/mod.ts"],
  ["lib/mod.ts", "./auth/mod.ts"],
  ["consumers/chat_consumer.ts", "@sluice/sluice/consumers"],
  ["consumers/chat_consumer.ts", "valibot"],
  ["realtime.ts", "./consumers/chat_consumer.ts"],
  ["islands/ChatRoom.tsx", "@sluice/sluice/client"],
  ["islands/ChatRoom.tsx", "preact/hooks"],
  ["islands/ChatRoom.tsx", "@preact/signals"],
  ["islands/ChatRoom.tsx", "../components/Avatar.tsx"],
  ["routes/ws/[...path].ts", "../../realtime.ts"],
  ["routes/index.tsx", "fresh"],
  ["routes/index.tsx", "../app/http/define.ts"],
  ["realtime.ts", "./app/settings/settings.ts"],
  ["main.ts", "./routes/index.tsx"],
  ["compat/fresh/dev/mod.ts", "../app.ts"],
  ["consumers/quiz_consumer.ts", "../app/settings/settings.ts"],
  ["consumers/quiz_consumer.ts", "../quiz/rules.ts"],
  ["consumers/quiz_consumer.ts", "fresh"],
  ["consumers/quiz_consumer.ts", "../components/words.ts"],
  ["islands/Quiz.tsx", "valibot"],
  ["islands/Quiz.tsx", "npm:canvas-confetti@^1"],
  ["islands/Quiz.tsx", "fresh/runtime"],
  ["islands/Quiz.tsx", "../quiz/rules.ts"],
  ["components/Quiz.tsx", "valibot"],
  ["components/Quiz.tsx", "../app/http/define.ts"],
  ["routes/index.tsx", "../consumers/chat_consumer.ts"],
  ["routes/quiz.tsx", "../quiz/rules.ts"],
  ["quiz/rules.ts", "../app/services.ts"],
  ["realtime.ts", "./quiz/rules.ts"],
  ["tests/client/backoff_test.ts", "../../lib/client/backoff.ts"],
];

const refused: [file: string, specifier: string][] = [
  ["lib/protocol/frames.ts", "../core/scope.ts"],
  ["lib/protocol/frames.ts", "node:buffer"],
  ["lib/core/scope.ts", "../sessions/mod.ts"],
  ["lib/client/connect.ts", "../core/scope.ts"],
  ["lib/client/connect.ts", "../time/timers.ts"],
  ["lib/client/connect.ts", "node:timers"],
  ["lib/client/connect.ts", "preact"],
  ["lib/redis/redis_connection.ts", "npm:@redis/client@^6"],
  ["lib/layers/memory_channel_layer.ts", "../sessions/mod.ts"],
  ["lib/sessions/with_session.ts", "../auth/mod.ts"],
  ["lib/auth/tickets/tickets.ts", "npm:djwt"],
  ["lib/auth/oauth/sign_in.ts", "../providers/_code_flow.ts"],
  ["lib/auth/login.ts", "./oauth/_responses.ts"],
  ["lib/auth/tickets/tickets.ts", "../../server/mod.ts"],
  ["lib/server/to_handler.ts", "../auth/mod.ts"],
  ["lib/server/to_handler.ts", "../mod.ts"],
  ["lib/server/ws_transport.ts", "ws"],
  ["lib/testing/serve.ts", "../mod.ts"],
  ["lib/mod.ts", "../consumers/chat_consumer.ts"],
  ["lib/routing/router.ts", "@sluice/sluice/protocol"],
  ["consumers/chat_consumer.ts", "../lib/consumers/mod.ts"],
  ["examples/echo.ts", "../lib/mod.ts"],
  ["realtime.ts", "./lib/mod.ts"],
  ["islands/ChatRoom.tsx", "@sluice/sluice"],
  ["islands/ChatRoom.tsx", "@sluice/sluice/sessions"],
  ["islands/ChatRoom.tsx", "../consumers/chat_consumer.ts"],
  ["islands/ChatRoom.tsx", "../realtime.ts"],
  ["islands/ChatRoom.tsx", "../app/settings/settings.ts"],
  ["islands/ChatRoom.tsx", "node:fs"],
  ["islands/ChatRoom.tsx", "../lib/client/mod.ts"],
  ["quiz/rules.ts", "../lib/mod.ts"],
  ["routes/quiz.tsx", "../lib/server/mod.ts"],
  ["components/Quiz.tsx", "../lib/protocol/mod.ts"],
  ["routes/index.tsx", "../lib/mod.ts"],
  ["app/services.ts", "../lib/sessions/mod.ts"],
  ["app/services.ts", "../realtime.ts"],
  ["app/http/define.ts", "../../main.ts"],
  ["bench/checks/jobs.ts", "../../tests/workers/worker_test.ts"],
  ["tools/ok.ts", "../tests/support/silent_log.ts"],
  ["tests/support/app/live_app.ts", "../../app/page_test.ts"],
  ["main.ts", "./lib/mod.ts"],
  ["compat/fresh/app.ts", "../../lib/mod.ts"],
  ["compat/fresh/app.ts", "@sluice/sluice"],
];

test("import-direction allows the imports in its table, and lets the app import anything except lib/", () => {
  for (const [file, specifier] of allowed) {
    assert.deepEqual(broken(file, `import "${specifier}";`), [], `${file} → ${specifier}`);
  }
});

test("import-direction refuses all other imports, in every syntax", () => {
  for (const [file, specifier] of refused) {
    for (
      const source of [
        `import "${specifier}";`,
        `import { a } from "${specifier}";`,
        `export * from "${specifier}";`,
        `export { a } from "${specifier}";`,
        `await import("${specifier}");`,
      ]
    ) assert.deepEqual(broken(file, source), ["import-direction"], `${file}: ${source}`);
  }
});

test("import-direction lets an island import only the types of a consumer", () => {
  const file = "islands/ChatRoom.tsx";
  const from = `from "../consumers/chat_consumer.ts";`;
  assert.deepEqual(broken(file, `import type { A } ${from}`), []);
  assert.deepEqual(broken(file, `import { type A, type B } ${from}`), []);
  assert.deepEqual(broken(file, `import { type A, b } ${from}`), ["import-direction"]);
  assert.deepEqual(broken(file, `import {} ${from}`), ["import-direction"]);
});

test("runtime-in-adapters allows Deno in adapters and outside the toolkit", () => {
  const source = "Deno.serve(() => new Response()); let kv: Deno.Kv;";
  for (
    const file of [
      "lib/kv/deno/deno_key_value.ts",
      "lib/server/deno/deno_transport.ts",
      "main.ts",
      "tests/support/app/live_app.ts",
    ]
  ) assert.deepEqual(broken(file, source), [], file);
});

test("runtime-in-adapters refuses Deno and its types elsewhere in the toolkit", () => {
  for (const source of ["Deno.env.get('A');", "let kv: Deno.Kv;", "globalThis.Deno;"]) {
    for (const file of ["lib/server/to_handler.ts", "lib/mod.ts", "lib/sessions/denomination.ts"]) {
      assert.deepEqual(broken(file, source), ["runtime-in-adapters"], `${file}: ${source}`);
    }
  }
});

test("runtime-in-adapters keeps process and Bun to the folders of Node and Bun", () => {
  const allowed = ["lib/server/node/node_serve.ts", "lib/server/bun/bun_serve.ts", "main.ts"];
  for (const file of allowed) assert.deepEqual(broken(file, "process.exit(0);"), [], file);
  assert.deepEqual(broken("lib/server/bun/bun_serve.ts", "Bun.serve({});"), []);
  const rule = ["runtime-in-adapters"];
  for (const file of ["lib/core/log.ts", "lib/server/deno/deno_serve.ts"]) {
    for (const source of ["process.env.HOME;", "globalThis.process;", "Bun.serve({});"]) {
      assert.deepEqual(broken(file, source), rule, `${file}: ${source}`);
    }
  }
  assert.deepEqual(broken("lib/server/node/attach.ts", "Bun.serve({});"), rule);
  assert.deepEqual(broken("lib/core/log.ts", "(process: string) => process.length;"), []);
});

const UNBOUNDED = [
  "await request.text();",
  "await req.json();",
  "await ctx.req.formData();",
  "await scope.request.arrayBuffer();",
  "await request.clone().bytes();",
  "await request?.blob();",
  "await request!.text();",
  'await request["text"]();',
  "const reader = request.body.getReader();",
  "for await (const chunk of request.body ?? []) chunk.length;",
  "const { body } = request;",
  "const read = (message: Request) => message.json();",
  "const first: Request = requests[0]; await first.text();",
];

test("bounded-body refuses reading a request body without readBody()", () => {
  for (const file of ["routes/api/upload.ts", "lib/server/to_handler.ts", "examples/echo.ts"]) {
    for (const source of UNBOUNDED) {
      assert.deepEqual(broken(file, source), ["bounded-body"], `${file}: ${source}`);
    }
  }
});

test("bounded-body allows reading responses, readBody() itself, and tests", () => {
  const allowed: [file: string, source: string][] = [
    ["examples/native_client.ts", "await (await fetch(url)).json();"],
    ["examples/native_client.ts", "await response.text(); const { body } = response;"],
    ["routes/api/upload.ts", "const bytes = await readBody(request);"],
    ["app/http/body.ts", "await new Response(state.body).formData();"],
    ["lib/core/read_body.ts", "const { body } = request;"],
    ["tests/support/auth/oidc_double.ts", "await request.text();"],
  ];
  for (const [file, source] of allowed) assert.deepEqual(broken(file, source), [], source);
});

const harmless = [
  "void work().catch(() => {});",
  "void work().then(next).catch(report);",
  "void (here.value = 1);",
  "void 0;",
  "void here.count++;",
  "async () => void await work();",
  "void clock.after(1, () => {});",
  "class A { go() { void this.#sendHeartbeat(); } async #sendHeartbeat() {} }",
];

const harmful = [
  "void work();",
  "void here.work();",
  "void work().then(next);",
  "void work().catch();",
  "void work().catch(report).then(next);",
  "void work().finally(next);",
  "void promise;",
  "void here.promise;",
  "void (async () => {})();",
  "void Promise.all([]);",
  "void (flag ? work() : other());",
  "void (flag && work());",
  "void store.delete(id);",
  "void work?.();",
  "void here['refresh']();",
  "class A { go() { void this.#work(); } async #work() {} }",
];

for (const source of harmless) {
  test(`void-promise allows ${source}`, () => {
    assert.deepEqual(broken("lib/a.ts", source), []);
  });
}

for (const source of harmful) {
  test(`void-promise refuses ${source} in lib and app, because it could end the process`, () => {
    for (const file of ["lib/a.ts", "app/a.ts"]) {
      assert.deepEqual(broken(file, source), ["void-promise"]);
    }
    assert.deepEqual(broken("tests/a_test.ts", source), []);
  });
}

test("each function that void-promise allows documents that it never rejects", async () => {
  for (const [name, file] of Object.entries(NEVER_REJECTS)) {
    const source = await Deno.readTextFile(ROOT + file);
    const declaration = new RegExp(`\\n( *)(async )?${name}\\([^]*?\\{\\n`);
    const before = source.slice(0, source.search(declaration));
    const comment = before.slice(before.lastIndexOf("/**"));
    assert.match(comment, /Never rejects\.\s*\*\/\s*$/, `${name} in ${file}`);
  }
});
