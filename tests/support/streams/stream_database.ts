import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PostgresServer } from "../postgres/postgres_server.ts";
import { RedisServer } from "../redis/redis_server.ts";
import type { BackendKind } from "./stream_backend.ts";

/** A database for a test, which several processes can use. */
export interface StreamDatabase extends AsyncDisposable {
  readonly kind: BackendKind;
  /** A path or a URL. */
  readonly address: string;
  /** Set if the database is a server that can be killed and started again. */
  readonly server?: RedisServer | PostgresServer;
}

/** Starts a database; a Redis keeps its data with `appendfsync everysec`. */
export async function startDatabase(kind: BackendKind): Promise<StreamDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-streams-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  if (kind === "Redis") {
    const args = ["--dir", folder, "--appendonly", "yes", "--appendfsync", "everysec"];
    const server = await RedisServer.start(args);
    const end = () => server[Symbol.asyncDispose]().then(remove);
    return { kind, address: server.url, server, [Symbol.asyncDispose]: end };
  }
  if (kind === "PostgreSQL") {
    const server = await PostgresServer.start();
    const end = () => server[Symbol.asyncDispose]().then(remove);
    return { kind, address: server.url(), server, [Symbol.asyncDispose]: end };
  }
  return { kind, address: join(folder, "streams.sqlite"), [Symbol.asyncDispose]: remove };
}
