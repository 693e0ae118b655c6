import type { KeyValue } from "@sluice/sluice/kv";
import { openKeyValue } from "../../app/database.ts";
import { readSettings } from "../../app/settings/settings.ts";
import { SettingError } from "../../app/settings/settings.ts";

/** A database that a command names. */
export interface NamedDatabase extends AsyncDisposable {
  /** The database. */
  readonly kv: KeyValue;
  /** The address: `postgres://…`, `sqlite:PATH`, or a path or URL of Deno KV. */
  readonly address: string;
}

/** Opens the database at an address, or that of the settings. @throws {SettingError} */
export function openNamed(
  address: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): NamedDatabase {
  const named = address === undefined ? env : settingsFor(address);
  const settings = readSettings(named);
  const used = settings.databaseUrl ?? settings.kvPath;
  if (used === undefined) throw new SettingError("DENO_KV_PATH", "is not set");
  const kv = openKeyValue(settings, { ...silent, warn: console.warn });
  return { kv, address: used, [Symbol.asyncDispose]: () => kv.close() };
}

const silent = { debug() {}, info() {}, error() {} };

function settingsFor(address: string): Record<string, string> {
  const isOther = /^(?!https?:)[a-z][a-z+.-]+:/i.test(address) && address !== ":memory:";
  return isOther ? { DATABASE_URL: address } : { DENO_KV_PATH: address };
}
