import { dirname } from "node:path";
import { KvConnection, type KvSource } from "@sluice/sluice/sessions";

/** The database of this process: opened at its first use, and again at the next where that failed. */
export interface Database {
  readonly source: KvSource;
  /** Where the data is, for people. */
  readonly place: string;
  /** Writes something, once a second at most. @throws {Error} It cannot be reached, or not be written. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** How long the outcome of a check holds, in milliseconds: anybody may ask for one. */
const CHECK_MS = 1_000;

/** Returns the database at a path, `:memory:`, an address, or the platform's own. */
export function openDatabase(path: string | undefined): Database {
  let opened: Promise<Deno.Kv> | undefined;
  const source = () =>
    opened ??= open(path).catch((error) => {
      opened = undefined;
      throw error;
    });
  const connection = new KvConnection(source);
  const write = () => connection.run(async (kv) => void await kv.set(["check"], Date.now()));
  let checked: { readonly at: number; readonly outcome: Promise<void> } | undefined;
  return {
    source,
    place: path ?? "Deno KV of the platform",
    check() {
      const at = performance.now();
      if (checked === undefined || at - checked.at > CHECK_MS) checked = { at, outcome: write() };
      return checked.outcome;
    },
    async close() {
      const kv = await opened?.catch(() => undefined);
      opened = undefined;
      kv?.close();
    },
  };
}

async function open(path: string | undefined): Promise<Deno.Kv> {
  const isFile = path !== undefined && path !== ":memory:" && !/^https?:/.test(path);
  if (isFile) await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return await Deno.openKv(path);
}

/** Whether a path that could not be opened names no database, and will not by waiting. */
export async function isWrongPath(path: string, error: unknown): Promise<boolean> {
  if (error instanceof Deno.errors.NotADirectory) return true;
  if (error instanceof Error && error.message.includes("is not a database")) return true;
  // What is not there yet may come: a disk that is mounted later.
  return await isFolder(path) === true || await isFolder(dirname(path)) === false;
}

async function isFolder(path: string): Promise<boolean | undefined> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => undefined);
}
