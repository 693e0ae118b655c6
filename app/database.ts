import { constants } from "node:fs";
import { chmod, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type Clock, type Log, systemClock } from "@sluice/sluice/server";
import type { KeyValue } from "@sluice/sluice/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import type { Settings } from "./settings/settings.ts";

/** The database of this process: opened at first use; after a failure, the next use tries again. */
export interface Database {
  /** The database of all stores. */
  readonly kv: KeyValue;
  /** The clock of everything that is stored: of the database's server if it has one. */
  readonly clock: Clock;
  /** The location of the data, for display. */
  readonly place: string;
  /**
   * Writes a test value, at most once a second.
   *
   * @throws {Error} The database cannot be reached or written.
   */
  check(): Promise<void>;
  /** Closes the database. */
  close(): Promise<void>;
}

/** How long the result of a check is reused, in milliseconds, because every client can request one. */
const CHECK_MS = 1_000;

/** Returns the database that the settings name. */
export function openDatabase(
  settings: DatabaseSettings,
  { log, clock = systemClock }: { readonly log: Log; readonly clock?: Clock },
): Database {
  const kv = openKeyValue(settings, log, clock);
  const write = async () => void await kv.set(["check"], Date.now());
  let checked: { readonly at: number; readonly outcome: Promise<void> } | undefined;
  return {
    kv,
    clock: kv instanceof PostgresKeyValue ? kv.clock : clock,
    place: placeOf(settings),
    check() {
      const at = performance.now();
      if (checked === undefined || at - checked.at > CHECK_MS) checked = { at, outcome: write() };
      return checked.outcome;
    },
    close: () => kv.close(),
  };
}

/** The settings that name the database. */
export type DatabaseSettings = Pick<Settings, "databaseUrl" | "kvPath">;

/** Returns the database that the settings name, without the checks of the app. */
export function openKeyValue(
  { databaseUrl, kvPath }: DatabaseSettings,
  log: Log,
  clock: Clock = systemClock,
): KeyValue {
  const file = databaseUrl === undefined ? undefined : sqliteFile(databaseUrl);
  if (file !== undefined) {
    return new SqliteKeyValue(file, { prepare: () => prepareFile(file, log) });
  }
  if (databaseUrl !== undefined) return new PostgresKeyValue(databaseUrl, { clock });
  // With a file, a watch sees only writes of this process.
  const watch = kvPath === undefined || /^https?:/.test(kvPath);
  return new DenoKeyValue(() => openKv(kvPath, log), { watch });
}

/** Returns the path of `sqlite:PATH`. */
function sqliteFile(databaseUrl: string): string | undefined {
  return databaseUrl.startsWith("sqlite:") ? databaseUrl.slice("sqlite:".length) : undefined;
}

function placeOf({ databaseUrl, kvPath }: DatabaseSettings): string {
  if (databaseUrl === undefined) {
    return kvPath === undefined ? "Deno KV of the platform" : withoutSecrets(kvPath);
  }
  const file = sqliteFile(databaseUrl);
  if (file !== undefined) return `SQLite ${file}`;
  const { hostname, port, pathname } = new URL(databaseUrl);
  return `PostgreSQL ${hostname}${port && `:${port}`}${pathname}`;
}

async function openKv(path: string | undefined, log: Log): Promise<Deno.Kv> {
  const isFile = path !== undefined && path !== ":memory:" && !/^https?:/.test(path);
  if (!isFile) return await Deno.openKv(path);
  await makePrivate(path);
  const kv = await Deno.openKv(path);
  await tightenAll(path, log);
  return kv;
}

/**
 * Creates a database file that only this user can read, regardless of the umask.
 *
 * *Security*: read access is enough to open sockets as any user, with the ticket keys. SQLite gives
 * the files next to the database the mode of the database.
 */
async function makePrivate(path: string): Promise<void> {
  if (path === ":memory:") return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { O_CREAT, O_EXCL, O_WRONLY } = constants;
  await open(path, O_CREAT | O_EXCL | O_WRONLY, 0o600).then((file) => file.close(), () => {});
}

/** Prepares an SQLite file. The mode of a file that is no database is not changed. */
async function prepareFile(path: string, log: Log): Promise<void> {
  await makePrivate(path);
  if (await isSqlite(path)) await tightenAll(path, log);
}

async function isSqlite(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer } = await file.read(new Uint8Array(16), 0, 16, 0);
    return new TextDecoder().decode(buffer) === "SQLite format 3\0";
  } finally {
    await file.close();
  }
}

async function tightenAll(path: string, log: Log): Promise<void> {
  if (Deno.build.os === "windows") return;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) await tighten(file, log);
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
  return text.replace(/\b(https?:\/\/|postgres(?:ql)?:\/\/)[^\s/?#]*@/gi, "$1");
}

/** Returns the path of the database's file, if it is one. */
export function databaseFile({ databaseUrl, kvPath }: DatabaseSettings): string | undefined {
  if (databaseUrl !== undefined) return sqliteFile(databaseUrl);
  return kvPath === undefined || /^https?:/.test(kvPath) ? undefined : kvPath;
}

/** Returns whether a path that could not be opened can never become a database by waiting. */
export async function isWrongPath(path: string, error: unknown): Promise<boolean> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && cause.code === "ENOTDIR") return true;
    if (cause.message.includes("is not a database")) return true;
  }
  // A missing file may appear later, for example when a disk is mounted.
  return await isFolder(path) === true || await isFolder(dirname(path)) === false;
}

async function isFolder(path: string): Promise<boolean | undefined> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => undefined);
}
