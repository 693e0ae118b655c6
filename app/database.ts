import { constants } from "node:fs";
import { chmod, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "@sluice/sluice/server";
import type { KeyValue } from "@sluice/sluice/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";

/** The database of this process: opened at first use; after a failure, the next use tries again. */
export interface Database {
  readonly kv: KeyValue;
  /** Deno KV itself, for the channel layer. */
  readonly source: () => Promise<Deno.Kv>;
  /** The location of the data, for display. */
  readonly place: string;
  /**
   * Writes a test value, at most once a second.
   *
   * @throws {Error} The database cannot be reached or written.
   */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** How long the result of a check is reused, in milliseconds, because every client can request one. */
const CHECK_MS = 1_000;

/** Returns the database at a path, `:memory:`, a URL, or the platform's own. */
export function openDatabase(path: string | undefined, log: Log): Database {
  let opened: Promise<Deno.Kv> | undefined;
  const source = () =>
    opened ??= openKv(path, log).catch((error) => {
      opened = undefined;
      throw error;
    });
  const kv = new DenoKeyValue(source);
  const write = async () => void await kv.set(["check"], Date.now());
  let checked: { readonly at: number; readonly outcome: Promise<void> } | undefined;
  return {
    kv,
    source,
    place: path === undefined ? "Deno KV of the platform" : withoutSecrets(path),
    check() {
      const at = performance.now();
      if (checked === undefined || at - checked.at > CHECK_MS) checked = { at, outcome: write() };
      return checked.outcome;
    },
    close: () => kv.close(),
  };
}

/**
 * Opens a database with private files, regardless of the umask.
 *
 * *Security*: read access is enough to open sockets as any user, with the ticket keys. SQLite gives
 * the files next to the database the mode of the database.
 */
async function openKv(path: string | undefined, log: Log): Promise<Deno.Kv> {
  const isFile = path !== undefined && path !== ":memory:" && !/^https?:/.test(path);
  if (!isFile) return await Deno.openKv(path);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  await open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600).then((file) => file.close(), () => {});
  const kv = await Deno.openKv(path);
  if (Deno.build.os === "windows") return kv;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await tighten(file, log);
  return kv;
}

/** Removes the permissions of other users from a file, or reports that this is not possible. */
async function tighten(file: string, log: Log): Promise<void> {
  const { mode } = await stat(file).catch(() => ({ mode: 0 }));
  if ((mode & 0o077) === 0) return;
  await chmod(file, 0o600).catch(() => {
    log.warn("Other users of this machine can read the database, and so sign in as any user", {
      file,
    });
  });
}

/** Returns the address or path of a database without the user and password in it. */
export function withoutSecrets(text: string): string {
  return text.replace(/\b(https?:\/\/)[^\s/?#]*@/gi, "$1");
}

/** Returns whether a path that could not be opened can never become a database by waiting. */
export async function isWrongPath(path: string, error: unknown): Promise<boolean> {
  if (error instanceof Deno.errors.NotADirectory) return true;
  if (error instanceof Error && error.message.includes("is not a database")) return true;
  // A missing file may appear later, for example when a disk is mounted.
  return await isFolder(path) === true || await isFolder(dirname(path)) === false;
}

async function isFolder(path: string): Promise<boolean | undefined> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => undefined);
}
