/**
 * The settings, read from environment variables once at the start.
 *
 * @module
 */
import { origins } from "@sluice/sluice";
import {
  readChannelKeys,
  readChannelLayer,
  readChannelPrefix,
  readRedisCaFile,
} from "./layer_settings.ts";
import {
  choice,
  duration,
  type Environment,
  integer,
  list,
  publicUrl,
  quoted,
  SettingError,
  text,
  toggle,
  wrong,
} from "./settings_parsers.ts";

export { type Environment, SettingError };

const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** GitHub as a sign-in provider. */
export interface GitHubSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly url: string;
  readonly apiUrl: string;
}

/** Any OpenID Connect provider. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly name: string;
}

/** All settings. Times are in milliseconds. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  /** The database: `postgres://…` or `sqlite:PATH`; undefined means Deno KV at `kvPath`. */
  readonly databaseUrl: string | undefined;
  /** Path or URL of Deno KV; undefined means the platform's own. */
  readonly kvPath: string | undefined;
  readonly channelLayer: string;
  /** The prefix that separates this deployment from others on the same Redis or database. */
  readonly channelPrefix: string;
  /** Secret keys: the first one encrypts messages on the layer, all of them decrypt. */
  readonly channelKeys: readonly string[] | undefined;
  /** PEM file with the authorities whose certificates are accepted from `rediss://…`. */
  readonly redisCaFile: string | undefined;
  readonly github: GitHubSettings | undefined;
  readonly oidc: OidcSettings | undefined;
  readonly devSignIn: boolean;
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean;
  /** Origins whose pages may open sockets; see docs/guides/other_origin.md for the rest. */
  readonly allowedOrigins: readonly string[];
  readonly sessionIdleTtlMs: number;
  readonly sessionMaxTtlMs: number;
  /** The admins, as `provider:SUBJECT`; see {@linkcode isAdmin}. */
  readonly admins: readonly string[];
  readonly socketsPerUser: number;
  readonly socketsPerAddress: number;
  /** Handshakes per address and minute; undefined means a default that grows with its sockets. */
  readonly handshakesPerAddress: number | undefined;
  /** Sign-in steps per address and minute; undefined means no limit. */
  readonly signInsPerAddress: number | undefined;
  /** Most sessions of a user; a further sign-in ends the least recently used one. */
  readonly sessionsPerUser: number;
  readonly auditRetentionMs: number;
  /** How many messages a room keeps, and how long. */
  readonly historyMessages: number;
  readonly historyAgeMs: number;
  readonly maxMessageBytes: number;
  readonly sendBufferBytes: number;
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  readonly drainMs: number;
  readonly logLevel: typeof LOG_LEVELS[number];
  readonly logFormat: "text" | "json";
  /** The token that `/metrics` requires; undefined means none. */
  readonly metricsToken: string | undefined;
}

/**
 * Reads the settings.
 *
 * @throws {SettingError} A setting is wrong. The message is one sentence with the variable, its
 * value (unless secret) and the accepted values.
 */
export function readSettings(env: Environment): Settings {
  const github = readGitHub(env);
  const oidc = readOidc(env);
  const host = text(env, "HOST") ?? "127.0.0.1";
  const site = publicUrl(env, "PUBLIC_URL");
  const isPublic = !isLoopback(host) || !isLoopback(site ? new URL(site).hostname : host);
  const devSignIn = readDevSignIn(env, { host, isPublic, hasProvider: Boolean(github ?? oidc) });
  return {
    port: integer(env, "PORT", { fallback: 8000, min: 0, max: 65_535 }),
    host,
    databaseUrl: readDatabaseUrl(env),
    kvPath: readKvPath(env),
    channelLayer: readChannelLayer(env),
    channelPrefix: readChannelPrefix(env),
    channelKeys: readChannelKeys(env),
    redisCaFile: readRedisCaFile(env),
    github,
    oidc,
    devSignIn,
    publicUrl: site,
    trustProxy: toggle(env, "TRUST_PROXY") ?? false,
    allowedOrigins: readAllowedOrigins(env),
    ...readSessionTtls(env),
    admins: readAdmins(env, devSignIn),
    socketsPerUser: integer(env, "SOCKETS_PER_USER", { fallback: 20, ...COUNT }),
    socketsPerAddress: integer(env, "SOCKETS_PER_ADDRESS", { fallback: 200, ...COUNT }),
    handshakesPerAddress: optionalInteger(env, "HANDSHAKES_PER_ADDRESS"),
    // Development sign-in works only on this machine, where a script may sign in any number of
    // users.
    signInsPerAddress: optionalInteger(env, "SIGN_INS_PER_ADDRESS") ?? (devSignIn ? undefined : 60),
    sessionsPerUser: integer(env, "SESSIONS_PER_USER", { fallback: 100, min: 1, max: 10_000 }),
    auditRetentionMs: duration(env, "AUDIT_RETENTION") ?? 30 * DAY_MS,
    historyMessages: integer(env, "HISTORY_MESSAGES", { fallback: 1_000, min: 1, max: 100_000 }),
    historyAgeMs: duration(env, "HISTORY_AGE") ?? 30 * DAY_MS,
    maxMessageBytes: integer(env, "MAX_MESSAGE_BYTES", { fallback: 65_536, ...SIZE }),
    sendBufferBytes: integer(env, "SEND_BUFFER_BYTES", { fallback: 1_048_576, ...SIZE }),
    messagesPerSecond: integer(env, "MESSAGES_PER_SECOND", { fallback: 50, ...COUNT }),
    messageBurst: integer(env, "MESSAGE_BURST", { fallback: 100, ...COUNT }),
    drainMs: 1000 * integer(env, "DRAIN_SECONDS", { fallback: 10, min: 0, max: 3600 }),
    logLevel: choice(env, "LOG_LEVEL", LOG_LEVELS) ?? "info",
    logFormat: choice(env, "LOG_FORMAT", ["text", "json"] as const) ?? "text",
    metricsToken: readMetricsToken(env),
  };
}

function optionalInteger(env: Environment, name: string): number | undefined {
  return text(env, name) === undefined ? undefined : integer(env, name, { fallback: 1, ...COUNT });
}

/** Reads a token that is valid in a header. *Security*: messages never contain it. */
function readMetricsToken(env: Environment): string | undefined {
  const token = text(env, "METRICS_TOKEN");
  if (token === undefined || /^[\x21-\x7e]{1,512}$/.test(token)) return token;
  throw new SettingError(
    "METRICS_TOKEN",
    "has a value that is not shown, but accepts 1 to 512 visible characters of ASCII without spaces",
  );
}

function readGitHub(env: Environment): GitHubSettings | undefined {
  const clientId = text(env, "GITHUB_CLIENT_ID");
  const clientSecret = text(env, "GITHUB_CLIENT_SECRET");
  if (clientId === undefined && clientSecret === undefined) return undefined;
  if (clientId === undefined) {
    throw new SettingError("GITHUB_CLIENT_ID", "is not set, but GITHUB_CLIENT_SECRET is: set both");
  }
  if (clientSecret === undefined) {
    throw new SettingError("GITHUB_CLIENT_SECRET", "is not set, but GITHUB_CLIENT_ID is: set both");
  }
  return {
    clientId,
    clientSecret,
    url: providerUrl(env, "GITHUB_URL") ?? "https://github.com",
    apiUrl: providerUrl(env, "GITHUB_API_URL") ?? "https://api.github.com",
  };
}

/** Reads the URL of an identity provider; over plain http, anyone could impersonate it. */
function providerUrl(
  env: Environment,
  name: string,
  { asGiven = false }: { asGiven?: boolean } = {},
): string | undefined {
  const url = publicUrl(env, name, { path: true, asGiven });
  if (url === undefined || !/^http:/i.test(url) || isLoopback(new URL(url).hostname)) return url;
  throw new SettingError(
    name,
    `is ${quoted(url)}, but accepts an https:// address, or http:// on this machine`,
  );
}

function readOidc(env: Environment): OidcSettings | undefined {
  const issuer = readIssuer(env);
  const clientId = text(env, "OIDC_CLIENT_ID");
  const clientSecret = text(env, "OIDC_CLIENT_SECRET");
  if (issuer === undefined && clientId === undefined && clientSecret === undefined) {
    return undefined;
  }
  if (issuer === undefined) {
    throw new SettingError("OIDC_ISSUER", "is not set, but other OIDC_ variables are: set it too");
  }
  if (clientId === undefined) {
    throw new SettingError("OIDC_CLIENT_ID", "is not set, but OIDC_ISSUER is: set both");
  }
  return { issuer, clientId, clientSecret, name: text(env, "OIDC_NAME") ?? new URL(issuer).host };
}

/** Reads an issuer, which providers compare character by character. */
function readIssuer(env: Environment): string | undefined {
  const issuer = providerUrl(env, "OIDC_ISSUER", { asGiven: true });
  if (issuer === undefined) return undefined;
  const size = new TextEncoder().encode(issuer).length;
  if (!/\s/.test(issuer) && size <= MAX_ISSUER_BYTES) return issuer;
  throw new SettingError(
    "OIDC_ISSUER",
    `is ${quoted(issuer)}, but accepts an address without white space ` +
      `and of at most ${MAX_ISSUER_BYTES} bytes`,
  );
}

function readDevSignIn(
  env: Environment,
  { host, isPublic, hasProvider }: { host: string; isPublic: boolean; hasProvider: boolean },
): boolean {
  const wanted = toggle(env, "DEV_SIGN_IN");
  if (wanted === true && !isLoopback(host)) {
    throw new SettingError(
      "DEV_SIGN_IN",
      `is on, but HOST is ${quoted(host)}: development sign-in requires a loopback HOST`,
    );
  }
  if (wanted === true && isDeploy(env)) {
    throw new SettingError("DEV_SIGN_IN", "is on, which is not accepted on Deno Deploy");
  }
  return wanted ?? (!hasProvider && !isPublic && !isDeploy(env));
}

function readDatabaseUrl(env: Environment): string | undefined {
  const address = text(env, "DATABASE_URL");
  if (address === undefined) return undefined;
  if (/^sqlite:(?!\/\/)./.test(address)) return address;
  const url = /^postgres(?:ql)?:\/\//.test(address) ? URL.parse(address) : undefined;
  if (url?.hostname) return address;
  // *Security*: any part of it may be a password.
  const scheme = /^[a-z][a-z+.-]*:/i.exec(address)?.[0] ?? "";
  throw wrong("DATABASE_URL", `${scheme}…`, "postgres://… or sqlite:PATH");
}

function readKvPath(env: Environment): string | undefined {
  const path = text(env, "DENO_KV_PATH");
  if (path === undefined) return isDeploy(env) ? undefined : ".data/kv.sqlite3";
  const url = /^[a-z][a-z+.-]+:\/\//i.test(path) ? URL.parse(path) : undefined;
  const isSafe = url?.protocol === "https:" ||
    (url?.protocol === "http:" && isLoopback(url.hostname));
  if (url === undefined || isSafe) return path;
  throw wrong("DENO_KV_PATH", path, 'a file, ":memory:" or an https:// address');
}

function readAllowedOrigins(env: Environment): readonly string[] {
  const rules = list(env, "ALLOWED_ORIGINS");
  for (const rule of rules) {
    try {
      origins([rule])(() => new Response());
    } catch {
      throw new SettingError(
        "ALLOWED_ORIGINS",
        `has ${quoted(rule)}, but accepts https://host, host, .domain or *, with commas`,
      );
    }
  }
  return rules;
}

function readSessionTtls(env: Environment) {
  const idleMs = duration(env, "SESSION_IDLE_TTL");
  const maxMs = duration(env, "SESSION_MAX_TTL");
  const sessionMaxTtlMs = maxMs ?? Math.max(30 * DAY_MS, idleMs ?? 0);
  const sessionIdleTtlMs = idleMs ?? Math.min(7 * DAY_MS, sessionMaxTtlMs);
  if (sessionIdleTtlMs > sessionMaxTtlMs) {
    const [idle, max] = [text(env, "SESSION_IDLE_TTL"), text(env, "SESSION_MAX_TTL")];
    throw new SettingError(
      "SESSION_IDLE_TTL",
      `is "${idle}", which is longer than SESSION_MAX_TTL ("${max}"), but accepts the same or less`,
    );
  }
  return { sessionIdleTtlMs, sessionMaxTtlMs };
}

function readAdmins(env: Environment, devSignIn: boolean): readonly string[] {
  const admins = list(env, "ADMINS");
  for (const admin of admins) {
    if (!/^(?:github|oidc|dev):\S+$/.test(admin)) {
      throw new SettingError(
        "ADMINS",
        `has ${quoted(admin)}, but accepts github:LOGIN, github:ID, oidc:SUBJECT or ` +
          "dev:LOGIN, with commas",
      );
    }
  }
  return admins.length === 0 && devSignIn ? ["dev:ada"] : admins;
}

const DAY_MS = 86_400_000;

/** Longest issuer that an `OidcProvider` accepts. */
const MAX_ISSUER_BYTES = 1_000;

/** Range of counts: of sockets, messages or attempts. */
const COUNT = { min: 1, max: 1_000_000 };

/** Range of sizes: of a message and of a send queue, in bytes; at most 256 MiB. */
const SIZE = { min: 1, max: 268_435_456 };

/** Returns whether a host name is a loopback address. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

function isDeploy(env: Environment): boolean {
  return env.DENO_DEPLOY !== undefined || env.DENO_DEPLOYMENT_ID !== undefined;
}
