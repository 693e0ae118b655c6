/** Reads and checks the settings. `.env.example` explains them. */

export interface Settings {
  readonly hostname: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean;
  readonly github: { readonly clientId: string; readonly clientSecret: string } | undefined;
  /** PostgreSQL; undefined means a file in `data/`. */
  readonly databaseUrl: string | undefined;
  /** Redis; undefined means that this is the only process. */
  readonly redisUrl: string | undefined;
}

/** A wrong setting, described in one sentence without secrets. */
export class SettingError extends Error {
  override readonly name = "SettingError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings. An empty one counts as missing.
 *
 * @throws {SettingError} A setting is wrong.
 */
export function readSettings(env: Environment): Settings {
  return {
    hostname: text(env, "HOST") ?? "127.0.0.1",
    port: readPort(env),
    publicUrl: readPublicUrl(env),
    trustProxy: readTrustProxy(env),
    github: readGitHub(env),
    databaseUrl: readServer(env, "DATABASE_URL", ["postgres", "postgresql"]),
    redisUrl: readServer(env, "REDIS_URL", ["redis", "rediss"]),
  };
}

function readPort(env: Environment): number {
  const value = text(env, "PORT") ?? "8000";
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw wrong("PORT", value, "a whole number from 0 to 65535");
}

function readPublicUrl(env: Environment): string | undefined {
  const value = text(env, "PUBLIC_URL");
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (isWeb && url.href === `${url.origin}/`) return url.origin;
  // It may contain a password by mistake.
  const shown = value.replace(/\/\/[^/]*@/, "//…@");
  throw wrong("PUBLIC_URL", shown, "an address such as https://example.com, without a path");
}

function readTrustProxy(env: Environment): boolean {
  const value = text(env, "TRUST_PROXY") ?? "false";
  if (value === "true" || value === "false") return value === "true";
  throw wrong("TRUST_PROXY", value, "true or false");
}

function readGitHub(env: Environment): Settings["github"] {
  const [id, secret] = ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"] as const;
  const [clientId, clientSecret] = [text(env, id), text(env, secret)];
  if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret };
  if (clientId === clientSecret) return undefined;
  const [there, missing] = clientId === undefined ? [secret, id] : [id, secret];
  throw new SettingError(`${there} is set, but ${missing} is not: set both or neither.`);
}

/** Reads the address of a server. Messages contain only its scheme: any other part may be secret. */
function readServer(
  env: Environment,
  name: string,
  schemes: readonly [string, string],
): string | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.hostname && schemes.includes(url.protocol.slice(0, -1))) return value;
  const [scheme = ""] = /^[a-z][a-z+.-]*:/i.exec(value) ?? [];
  throw wrong(name, `${scheme}…`, `${schemes[0]}://… or ${schemes[1]}://…`);
}

function text(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function wrong(name: string, value: string, accepted: string): SettingError {
  return new SettingError(`${name} is ${JSON.stringify(value)}, but accepts ${accepted}.`);
}
