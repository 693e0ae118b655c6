// @ts-types="@types/pg"
import pg from "pg";
import { migrate } from "./postgres_schema.ts";
import { SERVER_TIME, type ServerClock } from "./server_clock.ts";

/** A named statement, which each connection prepares once. */
export interface Statement {
  /** The name of the prepared statement. */
  readonly name: string;
  /** The SQL. */
  readonly text: string;
}

/** Options of a {@linkcode PostgresPool}. */
export interface PostgresPoolOptions {
  /** The address, `postgres://…`. */
  readonly url: string;
  /** Most connections. */
  readonly maxConnections: number;
  /** Limit for connecting, and for a statement, in milliseconds. */
  readonly timeoutMs: number;
  /** Gets the time of the server with every new connection. */
  readonly clock: ServerClock;
}

/**
 * Settings of all connections. Each statement finds its rows by an index. A server without statistics
 * may prefer to read the whole table, and would go on to do so while the table grows.
 */
const SETTINGS = `SET default_transaction_isolation = 'read committed'; SET enable_seqscan = off;
  SET enable_hashjoin = off; SET enable_mergejoin = off`;

/** The timeline, which a failover changes, and the start of the server. */
const HOME = `CASE WHEN pg_is_in_recovery() THEN NULL
  ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END
  || ':' || extract(epoch FROM pg_postmaster_start_time()) AS home`;

/** A row of a result: a statement of the driver returns some of these columns. */
export interface Row {
  readonly key: Uint8Array;
  readonly value: unknown;
  readonly version: unknown;
}

/** An error of a statement that certainly had no effect, because it never reached a primary. */
export class NotConnected extends Error {
  /** The name of the class. */
  override readonly name = "NotConnected";
}

/** Connections to a PostgreSQL primary, whose tables are migrated before the first use. */
export class PostgresPool {
  readonly #options: PostgresPoolOptions;
  #pool: pg.Pool;
  /** The server of each connection: its timeline and its start. */
  readonly #homes = new WeakMap<pg.ClientBase, string>();
  #migrating: Promise<void> | undefined;

  constructor(options: PostgresPoolOptions) {
    this.#options = options;
    this.#pool = this.#create();
  }

  /**
   * Runs a statement on any connection. With `home`, only if that is still the server's; otherwise
   * there are no rows.
   *
   * @throws {NotConnected} The statement was not sent.
   */
  async query(statement: Statement, values: unknown[], home?: string): Promise<readonly Row[]> {
    const pool = this.#pool;
    const client = await this.#connect(pool);
    let failure: unknown;
    try {
      if (home !== undefined && home !== this.#homes.get(client)) return [];
      return (await client.query({ ...statement, values })).rows;
    } catch (error) {
      failure = error;
      if (isReadOnly(error) && this.#pool === pool) this.#replace();
      throw error;
    } finally {
      // A connection after an error of the network or a timeout is in an unknown state.
      client.release(failure !== undefined && codeOf(failure) === undefined);
    }
  }

  /** Returns what identifies the server: see `KeyValue.home()`. @throws {NotConnected} */
  async home(): Promise<string | undefined> {
    const client = await this.#connect(this.#pool);
    client.release();
    return this.#homes.get(client);
  }

  /** Returns a connection of its own, outside of the limit. The caller ends it. */
  async connectAlone(): Promise<pg.Client> {
    const client = new pg.Client(this.#config);
    client.on("error", () => {}); // Also before it is connected.
    await client.connect();
    try {
      await this.#prepare(client);
      return client;
    } catch (error) {
      void client.end().catch(() => {});
      throw error;
    }
  }

  /** Closes all connections once they are free. */
  async end(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(pool: pg.Pool): Promise<pg.PoolClient> {
    try {
      const client = await pool.connect();
      try {
        const migrating = this.#migrating ??= migrate(client);
        await migrating;
        return client;
      } catch (error) {
        this.#migrating = undefined;
        client.release(true);
        throw error;
      }
    } catch (error) {
      throw new NotConnected("PostgreSQL cannot be reached", { cause: error });
    }
  }

  /** Leaves a server that became read-only: the name may mean another server by now. */
  #replace(): void {
    const former = this.#pool;
    this.#pool = this.#create();
    void former.end().catch(() => {});
  }

  get #config(): pg.ClientConfig {
    const { url, timeoutMs } = this.#options;
    return {
      connectionString: url,
      application_name: "sluice",
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    };
  }

  #create(): pg.Pool {
    const { maxConnections: max } = this.#options;
    const onConnect = (client: pg.ClientBase) => this.#prepare(client);
    const pool = new pg.Pool({ ...this.#config, max, allowExitOnIdle: true, onConnect });
    pool.on("error", () => {}); // An idle connection broke. The pool has removed it.
    return pool;
  }

  /** Sets the limits of a new connection. @throws {Error} The server is a standby. */
  async #prepare(client: pg.ClientBase): Promise<void> {
    const { timeoutMs, clock } = this.#options;
    client.on("error", () => {}); // A query reports it, or the pool drops the connection.
    // A server ends a statement whose caller has given up.
    await client.query(`SET statement_timeout = ${Math.ceil(timeoutMs)}; ${SETTINGS}`);
    const askedAt = clock.elapsed();
    const { rows } = await client.query(
      `SELECT pg_is_in_recovery() AS is_standby, ${HOME}, ${SERVER_TIME}`,
    );
    if (rows[0]?.is_standby) throw new Error("The PostgreSQL server is a standby");
    this.#homes.set(client, String(rows[0]?.home));
    clock.observe(Number(rows[0]?.now), askedAt);
  }
}

/** Returns the SQLSTATE of an error that the server reported. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

function isReadOnly(error: unknown): boolean {
  return codeOf(error) === "25006";
}
