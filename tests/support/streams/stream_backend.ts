import type { ChannelLayer } from "@sluice/sluice/layers";
import { KvChannelLayer } from "@sluice/sluice/layers/kv";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";
import type { KeyValue } from "@sluice/sluice/kv";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import { PostgresKeyValue } from "@sluice/sluice/kv/postgres";
import { SqliteKeyValue } from "@sluice/sluice/kv/sqlite";
import { KvStreamStore, type StreamStore } from "@sluice/sluice/streams";
import { RedisStreamStore } from "@sluice/sluice/streams/redis";
import type { StreamStoreOptions } from "../../../lib/streams/stream_options.ts";

/** A kind of database that several processes share. */
export type BackendKind = "Deno KV" | "SQLite" | "PostgreSQL" | "Redis";

/** A store and a layer on one database. */
export interface StreamBackend extends AsyncDisposable {
  readonly store: StreamStore;
  readonly layer: ChannelLayer;
}

/** Opens a store and a layer at an address: a path or a URL. */
export function openBackend(
  kind: BackendKind,
  address: string,
  options: StreamStoreOptions = {},
): StreamBackend {
  if (kind === "Redis") {
    const { clock: _, ...rest } = options;
    return backend(new RedisStreamStore(address, rest), new RedisChannelLayer(address));
  }
  const kv = openDatabase(kind, address);
  return backend(new KvStreamStore(kv, options), new KvChannelLayer(kv), kv);
}

function openDatabase(kind: Exclude<BackendKind, "Redis">, address: string): KeyValue {
  switch (kind) {
    case "Deno KV":
      return new DenoKeyValue(() => Deno.openKv(address));
    case "SQLite":
      return new SqliteKeyValue(address);
    case "PostgreSQL":
      return new PostgresKeyValue(address);
  }
}

function backend(store: StreamStore, layer: ChannelLayer, kv?: KeyValue): StreamBackend {
  return {
    store,
    layer,
    async [Symbol.asyncDispose]() {
      await Promise.all([store.close(), layer.close()]);
      await kv?.close();
    },
  };
}
