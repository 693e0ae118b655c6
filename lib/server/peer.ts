import type { NetAddress } from "./handler.ts";

/** How the address that people see is found. */
export interface ProxyOptions {
  /** The public address; its scheme, host and port replace those of the request. */
  readonly publicUrl?: string | URL;
  /** Whether to believe `X-Forwarded-For`, `-Proto` and `-Host` of the peer. @default {false} */
  readonly trustProxy?: boolean;
}

/** A request as its sender made it, whatever proxies lie between. */
export interface Peer {
  readonly url: URL;
  /** Address of the client, without port. */
  readonly address: string;
}

/**
 * Returns the public URL of a request and the address of its client.
 *
 * *Security*: with `trustProxy` only the last value of each header counts, which is what the nearest
 * proxy wrote; what stands before it came from outside. Without it, the headers are not read.
 */
export function resolvePeer(
  request: Request,
  remote: NetAddress | undefined,
  options: ProxyOptions = {},
): Peer {
  const url = new URL(request.url);
  const direct = remote?.hostname ?? "unknown";
  if (options.trustProxy !== true) {
    return { url: withPublic(url, options.publicUrl), address: direct };
  }
  const { headers } = request;
  const scheme = last(headers.get("x-forwarded-proto"));
  const host = last(headers.get("x-forwarded-host"));
  if (scheme === "https" || scheme === "http") url.protocol = `${scheme}:`;
  if (host !== undefined && /^[\w.:[\]-]+$/.test(host)) {
    url.port = "";
    url.host = host;
  }
  const forwarded = last(headers.get("x-forwarded-for"));
  return {
    url: withPublic(url, options.publicUrl),
    address: isAddress(forwarded) ? forwarded : direct,
  };
}

function withPublic(url: URL, publicUrl: string | URL | undefined): URL {
  if (publicUrl === undefined) return url;
  return new URL(url.pathname + url.search, publicUrl);
}

function last(header: string | null): string | undefined {
  const value = header?.split(",").at(-1)?.trim();
  return value === "" ? undefined : value;
}

function isAddress(value: string | undefined): value is string {
  return value !== undefined && value.length <= 45 && /^[\da-fA-F.:]+$/.test(value);
}
