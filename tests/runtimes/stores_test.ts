import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PostgresServer, whyNoPostgres } from "../support/postgres/postgres_server.ts";
import { run } from "../../tools/provide/programs.ts";
import { findRuntime, type RuntimeName } from "../../tools/provide/runtimes.ts";
import { installPackage, type Project } from "../support/runtimes/installed_package.ts";

const RUNTIMES = ["node22", "node24", "bun"] as const satisfies readonly RuntimeName[];

/** The tests of three drivers; each has at least so many. */
const LEAST_TESTS = 3 * 40;

/** More than the suite uses. */
const SCHEMAS = 60;

let project: Project;
let server: PostgresServer | undefined;

before(async () => {
  project = await installPackage();
  if (whyNoPostgres() !== undefined) return;
  server = await PostgresServer.start();
  const names = RUNTIMES.flatMap((name) => {
    return Array.from({ length: SCHEMAS }, (_, n) => `CREATE SCHEMA ${name}_${n}`);
  });
  await server.query(names.join(";"));
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await project[Symbol.asyncDispose]();
});

for (const name of RUNTIMES) {
  const skip = findRuntime(name) === undefined && "not installed";
  test(`${name}: testKeyValue() of the package passes over all drivers of the runtime`, {
    skip,
    timeout: 120_000,
  }, async () => {
    const args = name === "bun"
      ? ["test", "./stores.test.js"]
      : ["--test", "--test-reporter=tap", "stores.test.js"];
    const { success, output } = await run(findRuntime(name)!, args, {
      cwd: project.folder,
      timeoutMs: 110_000,
      env: { POSTGRES_URL: server?.url("") ?? "", SCHEMA: name },
    });
    assert.ok(success, output.slice(-4_000));
    const [, passed] = /^(?:# pass (?=\d)| *(?=\d+ pass$))(\d+)/m.exec(output) ?? [];
    const least = server === undefined ? LEAST_TESTS * 2 / 3 : LEAST_TESTS;
    assert.ok(Number(passed) >= least, `${passed} tests passed`);
  });
}
