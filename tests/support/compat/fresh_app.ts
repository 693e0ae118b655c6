import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { App } from "fresh";
import { Builder } from "fresh/dev";

/** Answers a request for a path on `http://localhost`. */
export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

type Handler = (req: Request) => Promise<Response>;

/** Whether `fresh` is this repository's stand-in instead of upstream Fresh. */
export const isStandIn = import.meta.resolve("fresh").endsWith("/compat/fresh/mod.ts");

/** `test()` for the stand-in only; skipped on upstream Fresh. */
export const standInTest: typeof test.skip = isStandIn ? test : test.skip;

/** The project for tests of file routes, islands and static files. */
export const FIXTURE = join(import.meta.dirname!, "fixture");

/** Calls an app like a server. */
export function fetcher(app: { handler(): Handler }): Fetch {
  return toFetch(app.handler());
}

function toFetch(handler: Handler): Fetch {
  return (path, init) => handler(new Request(`http://localhost${path}`, init));
}

/** Builds the fixture in memory. */
export async function buildInMemory(mode?: "development" | "production"): Promise<Fetch> {
  const apply = await new Builder({ root: FIXTURE }).build({ mode, snapshot: "memory" });
  const { app } = await import("./fixture/main.ts");
  apply(app as App<unknown>);
  return fetcher(app);
}

/** Builds the fixture to disk; disposing of the result deletes the build. */
export async function buildOnDisk(): Promise<AsyncDisposable & { fetch: Fetch; handler: Handler }> {
  const outDir = join(FIXTURE, "_fresh", crypto.randomUUID());
  await Deno.mkdir(outDir, { recursive: true });
  await new Builder({ root: FIXTURE, outDir }).build();
  const server = await import(pathToFileURL(join(outDir, "server.js")).href);
  const handler: Handler = server.default.fetch;
  return {
    handler,
    fetch: toFetch(handler),
    [Symbol.asyncDispose]: () => Deno.remove(outDir, { recursive: true }),
  };
}

/** Silences `console` while `run` reports an error. */
export async function silently<T>(run: () => Promise<T>): Promise<T> {
  const { error, warn } = console;
  console.error = console.warn = () => {};
  try {
    return await run();
  } finally {
    Object.assign(console, { error, warn });
  }
}
