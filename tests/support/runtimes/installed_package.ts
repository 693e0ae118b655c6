import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { provideInstallation } from "../../../tools/pack/provide_package.ts";

const PROGRAMS = new URL("./programs", import.meta.url).pathname;

/** A folder with the programs of `tests/runtimes`, which find the installed package. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
}

/** What the programs and the examples need besides the package. */
export const PACKAGES = {
  "@hono/node-server": "2",
  "better-auth": "1",
  cookie: "2",
  "cookie-signature": "1",
  express: "5",
  "express-session": "1",
  fastify: "5",
  hono: "4",
  ioredis: "^6.0.0",
  jose: "6",
  pg: "^8.23.1",
  valibot: "1",
  ws: "^8.23.0",
};

/** Installs the packed package, as a user would, with everything that the programs need. */
export async function installPackage(): Promise<Project> {
  const installation = await provideInstallation(PACKAGES);
  const folder = join(installation, `run-${crypto.randomUUID()}`);
  await mkdir(folder);
  await cp(PROGRAMS, folder, { recursive: true });
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
