// A table of users in PostgreSQL, which may have columns and references of your own.
// @ts-types="@types/pg"
import type { Pool, PoolClient } from "pg";
import { applyProfile, type ProviderProfile, type User, type UserStore } from "@sluice/sluice/auth";

/** Creates the table. In your application: a migration. */
export const SCHEMA = `
  create table if not exists users (
    id text collate "C" primary key,
    provider text not null,
    subject text not null,
    login text not null,
    name text not null,
    avatar_url text not null,
    roles text[],
    banned_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    unique (provider, subject)
  )`;

/** Most users read for one page. */
const MAX_READ = 2_000;

/** A row of the table. The driver returns a `bigint` as text. */
interface Row {
  readonly id: string;
  readonly provider: string;
  readonly subject: string;
  readonly login: string;
  readonly name: string;
  readonly avatar_url: string;
  readonly roles: string[] | null;
  readonly banned_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Stores users in the table `users`. */
export class PostgresUserStore implements UserStore {
  readonly #pool: Pool;
  readonly #now: () => number;

  constructor(pool: Pool, options: { readonly now?: () => number } = {}) {
    this.#pool = pool;
    this.#now = options.now ?? Date.now;
  }

  async save(profile: ProviderProfile): Promise<User> {
    const { provider, subject } = profile;
    const created = applyProfile(undefined, profile, this.#now());
    const { rows } = await this.#pool.query<Row>(
      `insert into users values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict (provider, subject) do nothing returning *`,
      toValues(created),
    );
    if (rows[0] !== undefined) return toUser(rows[0]);
    const known = await this.#change(
      "provider = $1 and subject = $2",
      [provider, subject],
      (user) => applyProfile(user, profile, this.#now()),
    );
    return known ?? await this.save(profile); // It was removed in between.
  }

  async get(id: string): Promise<User | undefined> {
    const { rows } = await this.#pool.query<Row>("select * from users where id = $1", [id]);
    return rows[0] && toUser(rows[0]);
  }

  update(id: string, change: (user: User) => User): Promise<User | undefined> {
    return this.#change("id = $1", [id], change);
  }

  async list({ after = "", limit = 50, login = "" }: Parameters<UserStore["list"]>[0] = {}) {
    const { rows } = await this.#pool.query<Row>(
      "select * from users where id > $1 order by id limit $2",
      [after, MAX_READ + 1],
    );
    const read = rows.slice(0, MAX_READ).map(toUser);
    const found = read.filter((user) => user.login.toLowerCase().includes(login.toLowerCase()));
    const users = found.slice(0, limit);
    if (found.length > limit) return { users, next: users.at(-1)?.id };
    return { users, next: rows.length > MAX_READ ? read.at(-1)?.id : undefined };
  }

  async remove(id: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query("delete from users where id = $1", [id]);
    return rowCount === 1;
  }

  /** Changes the user that `where` selects, in a transaction that locks the row. */
  async #change(
    where: string,
    values: readonly string[],
    change: (user: User) => User,
  ): Promise<User | undefined> {
    const client = await this.#pool.connect();
    let error: Error | undefined;
    try {
      await client.query("begin");
      const changed = await changeRow(client, { where, values, change });
      await client.query("commit");
      return changed;
    } catch (thrown) {
      error = thrown as Error;
      throw thrown;
    } finally {
      client.release(error); // After an error, the connection is closed, which ends the transaction.
    }
  }
}

async function changeRow(
  client: PoolClient,
  { where, values, change }: {
    readonly where: string;
    readonly values: readonly string[];
    readonly change: (user: User) => User;
  },
): Promise<User | undefined> {
  const { rows } = await client.query<Row>(`select * from users where ${where} for update`, [
    ...values,
  ]);
  if (rows[0] === undefined) return undefined;
  const changed = change(toUser(rows[0]));
  await client.query(
    `update users set provider = $2, subject = $3, login = $4, name = $5, avatar_url = $6,
     roles = $7, banned_at = $8, created_at = $9, updated_at = $10 where id = $1`,
    toValues(changed),
  );
  return changed;
}

function toValues(user: User): unknown[] {
  const { id, provider, subject, login, name, avatarUrl, roles, bannedAt } = user;
  const { createdAt, updatedAt } = user;
  return [
    id,
    provider,
    subject,
    login,
    name,
    avatarUrl,
    roles ?? null,
    bannedAt ?? null,
    createdAt,
    updatedAt,
  ];
}

function toUser(row: Row): User {
  return {
    id: row.id,
    provider: row.provider,
    subject: row.subject,
    login: row.login,
    name: row.name,
    avatarUrl: row.avatar_url,
    ...row.roles !== null && { roles: row.roles },
    ...row.banned_at !== null && { bannedAt: Number(row.banned_at) },
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}
