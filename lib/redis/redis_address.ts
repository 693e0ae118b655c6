/** The host and port of a Redis server. */
export interface RedisAddress {
  /** The host name or IP address. */
  readonly host: string;
  /** The TCP port. */
  readonly port: number;
}

/** How to sign in to Redis. */
export interface RedisAccess {
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** The user of the ACL, if any. */
  readonly username: string | undefined;
  /** The password, if any. */
  readonly password: string | undefined;
  /** The number of the database. */
  readonly database: number;
}

/** A parsed Redis URL: the addresses to try first, and how to sign in. */
export interface RedisTarget {
  /** One server, or several nodes of a cluster. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  /** How to sign in. */
  readonly access: RedisAccess;
}

const FORM = /^(rediss?):\/\/(?:([^/]*)@)?([^/?#@]+)(?:\/(\d{0,9}))?$/;
const DEFAULT_PORT = 6379;

/**
 * Parses a Redis URL: `redis://user:password@host:6379/0`; `rediss://` uses TLS. A cluster's URL may list
 * several nodes, separated by commas: `redis://a:7000,b:7000`.
 *
 * @throws {TypeError} The URL is invalid. *Security*: the error does not contain the URL.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme, userinfo = "", hosts, database = ""] = FORM.exec(url) ?? [];
  const [first, ...others] = hosts?.split(",").map(parseAddress) ?? [];
  const names = userinfo.match(/^([^:]*)(?::(.*))?$/)?.slice(1).map(decode);
  if (first === undefined || names === undefined) throw notAnAddress();
  const [username, password] = names;
  return {
    addresses: [first, ...others],
    access: {
      tls: scheme === "rediss",
      username: username || undefined,
      password: password || undefined,
      database: Number(database),
    },
  };
}

/** Formats an address as `host:port`. */
export function formatAddress({ host, port }: RedisAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Parses a cluster node's `host:port`; `undefined` if the host is missing. */
export function parseNode(address = ""): RedisAddress | undefined {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  const host = address.slice(0, colon);
  return host === "" || host === "?" || !(port > 0) ? undefined : { host, port };
}

function parseAddress(text: string): RedisAddress {
  // `URL` validates hosts for this scheme.
  const url = URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined;
  if (url === undefined || url.pathname !== "/" || url.port === "0") throw notAnAddress();
  const port = /:(\d+)$/.exec(text)?.[1];
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: port === undefined ? DEFAULT_PORT : Number(port),
  };
}

function decode(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    throw notAnAddress();
  }
}

function notAnAddress(): TypeError {
  return new TypeError(
    "Invalid Redis address: use redis://… or rediss://…, with special characters in the " +
      "user name and password percent-encoded",
  );
}
