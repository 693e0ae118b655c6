import { dirname } from "node:path";
import type { KvSource } from "@sluice/sluice/sessions";

/** The database of this process: opened at its first use, and again at the next where that failed. */
export interface Database {
  readonly source: KvSource;
  /** Where the data is, for people. */
  readonly place: string;
  /** Reads something. @throws {Error} It cannot be reached. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Returns the database at a path, `:memory:`, an address, or the platform's own. */
export function openDatabase(path: string | undefined): Database {
  let opened: Promise<Deno.Kv> | undefined;
  const source = () =>
    opened ??= open(path).catch((error) => {
      opened = undefined;
      throw error;
    });
  return {
    source,
    place: path ?? "Deno KV of the platform",
    async check() {
      await (await source()).get(["check"]);
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
