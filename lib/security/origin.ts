/** The parts of an origin. */
export interface ParsedOrigin {
  readonly scheme: string;
  readonly host: string;
  /** The port; by default that of the scheme, or empty if the scheme has no default. */
  readonly port: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: "80",
  https: "443",
  ws: "80",
  wss: "443",
};

/**
 * Reads an `Origin` header (RFC 6454 §6.1).
 *
 * Returns undefined for `null`, a missing scheme, user names, paths, white space, and anything else that
 * browsers do not send.
 */
export function parseOrigin(header: string): ParsedOrigin | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\]+$/i.test(header) || header.length > 512) return undefined;
  try {
    const url = new URL(header);
    const scheme = url.protocol.slice(0, -1);
    const host = url.hostname.toLowerCase();
    if (host === "" || url.username !== "" || url.password !== "") return undefined;
    return { scheme, host, port: url.port || (DEFAULT_PORTS[scheme] ?? "") };
  } catch {
    return undefined;
  }
}

/** Returns the origin of a URL; `ws` counts as `http` and `wss` as `https`. */
export function originOf(url: URL): ParsedOrigin {
  const scheme = url.protocol.slice(0, -1).replace(/^ws/, "http");
  return {
    scheme,
    host: url.hostname.toLowerCase(),
    port: url.port || DEFAULT_PORTS[scheme] || "",
  };
}

/** Returns whether two origins are the same: scheme, host and port. */
export function isSameOrigin(a: ParsedOrigin, b: ParsedOrigin): boolean {
  return a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}
