import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { App } from "fresh";
import { Builder } from "fresh/dev";

/** Answers a request for a path of `http://localhost`. */
export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

type Handler = (req: Request) => Promise<Response>;

/** Whether `fresh` is the stand-in of this repository, rather than upstream Fresh. */
export const isStandIn = import.meta.resolve("fresh").endsWith("/compat/fresh/mod.ts");

/** `test()` for what is about the stand-in alone: on upstream Fresh it skips. */
export const standInTest: typeof test.skip = isStandIn ? test : test.skip;

/** The project that file routes, islands and static files are tried with. */
export const FIXTURE = join(import.meta.dirname!, "fixture");

/** Calls an app as a server would. */
export function fetcher(app: { handler(): Handler }): Fetch {
  return toFetch(app.handler());
}

function toFetch(handler: Handler): Fetch {
  return (path, init) => handler(new Request(`http://localhost${path}`, init));
}

/** The fixture, built into memory. */
export async function buildInMemory(mode?: "development" | "production"): Promise<Fetch> {
  const apply = await new Builder({ root: FIXTURE }).build({ mode, snapshot: "memory" });
  const { app } = await import("./fixture/main.ts");
  apply(app as App<unknown>);
  return fetcher(app);
}

/** The fixture, built to disk; what is written goes when the result is disposed of. */
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

/** The text of a page's body, without its tags and scripts. */
export function bodyOf(html: string): string {
  return /<body[^>]*>(.*)<\/body>/s.exec(html)?.[1].replaceAll(/<script.*?<\/script>/gs, "") ?? "";
}

/** Lets `console` say nothing while `run` makes it report an error. */
export async function silently<T>(run: () => Promise<T>): Promise<T> {
  const { error, warn } = console;
  console.error = console.warn = () => {};
  try {
    return await run();
  } finally {
    Object.assign(console, { error, warn });
  }
}
