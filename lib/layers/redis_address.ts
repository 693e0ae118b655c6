/** Where a Redis listens. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** How to get in. */
export interface RedisAccess {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

/** What the address of a Redis says: where to ask first, and how to get in. */
export interface RedisTarget {
  /** One, or several of the nodes of a cluster. */
  readonly addresses: readonly [RedisAddress, ...RedisAddress[]];
  readonly access: RedisAccess;
}

const FORM = /^(rediss?):\/\/(?:([^/]*)@)?([^/?#@]+)(?:\/(\d{0,9}))?$/;
const DEFAULT_PORT = 6379;

/**
 * Reads `redis://user:password@host:6379/0`; `rediss://` is with TLS. Of a cluster several nodes may
 * be named, with commas: `redis://a:7000,b:7000`.
 *
 * @throws {TypeError} It is none. *Security*: the message repeats nothing of it.
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

/** Writes where a Redis listens. */
export function formatAddress({ host, port }: RedisAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Reads what a cluster calls a node, `host:port`; `undefined` if it does not say its host. */
export function parseNode(address = ""): RedisAddress | undefined {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  const host = address.slice(0, colon);
  return host === "" || host === "?" || !(port > 0) ? undefined : { host, port };
}

function parseAddress(text: string): RedisAddress {
  // A scheme whose hosts are checked.
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
    "Cannot use the address of Redis: it takes redis://… or rediss://…, " +
      "with what is special in a name or password percent-encoded",
  );
}
