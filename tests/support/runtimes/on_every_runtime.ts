import { after, before, test } from "node:test";
import { findRuntime, type RuntimeName, RUNTIMES } from "../../../tools/provide/runtimes.ts";
import { installPackage, type Project } from "./installed_package.ts";
import { RuntimeServer } from "./runtime_server.ts";

/** A test of the server of one runtime. */
export interface RuntimeTest {
  readonly title: string;
  /** Runtimes that cannot do this, and why: see docs/runtimes.md. */
  readonly except?: Partial<Readonly<Record<RuntimeName, string>>>;
  /** Whether the test stops the server: it then gets a separate one. */
  readonly isLast?: boolean;
  run(server: RuntimeServer): Promise<void>;
}

/**
 * Declares the tests for every runtime, with the package installed once and one server per runtime.
 * Runtimes that are not installed are skipped.
 */
export function onEveryRuntime(tests: readonly RuntimeTest[]): void {
  let project: Project;
  const servers = new Map<RuntimeName, RuntimeServer>();
  before(async () => {
    project = await installPackage();
  });
  after(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });
  const serverOf = async (name: RuntimeName) => {
    const server = servers.get(name) ?? await RuntimeServer.start(name, project.folder);
    servers.set(name, server);
    return server;
  };
  for (const name of RUNTIMES) {
    for (const { title, except, isLast, run } of tests) {
      const reason = findRuntime(name) === undefined ? "not installed" : except?.[name];
      test(`${name}: ${title}`, { skip: reason ?? false, timeout: 240_000 }, async () => {
        if (!isLast) return await run(await serverOf(name));
        await using own = await RuntimeServer.start(name, project.folder);
        await run(own);
      });
    }
  }
}
