import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { aptInstall } from "./apt.ts";
import { findProgram, run } from "./programs.ts";

/** The folder of Debian's packages, with one folder per version. */
const DEBIAN = "/usr/lib/postgresql";

/**
 * Returns the folder of PostgreSQL's programs: `POSTGRES_BIN`, that of the installed `postgres`, or
 * Debian's newest. Tests start their own server on their own port.
 */
export function findPostgres(): string | undefined {
  const program = findProgram("postgres");
  const named = process.env.POSTGRES_BIN || (program && dirname(realpathSync(program)));
  return [named, ...debianFolders()].find((folder) => {
    return folder !== undefined && existsSync(join(folder, "initdb"));
  });
}

/**
 * Returns the folder of PostgreSQL's programs: of an installed one, otherwise of Debian's package.
 *
 * @throws {Error} None can be installed; the message contains the reason.
 */
export async function providePostgres(note: (text: string) => void): Promise<string> {
  const found = findPostgres();
  if (found && await works(found)) return found;
  note("Installing PostgreSQL with apt-get");
  const problem = await aptInstall("postgresql");
  const installed = findPostgres();
  if (installed && await works(installed)) return installed;
  throw new Error(`no PostgreSQL is installed; ${problem ?? "Debian's does not start"}`);
}

function debianFolders(): string[] {
  if (!existsSync(DEBIAN)) return [];
  const versions = readdirSync(DEBIAN).map(Number).filter(Number.isFinite);
  return versions.sort((a, b) => b - a).map((version) => join(DEBIAN, `${version}`, "bin"));
}

async function works(folder: string): Promise<boolean> {
  const { success } = await run(join(folder, "postgres"), ["--version"], { timeoutMs: 10_000 });
  return success;
}
