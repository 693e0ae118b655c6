import { normalizePath, parseIpAddress } from "../core/request_values.ts";
import { Refusal } from "../protocol/mod.ts";
import { consoleLog, type Log, warnOnce } from "../core/log.ts";

/** How to determine the public address of a request. */
type ProxyOptions = NonNullable<Parameters<typeof resolvePeer>[2]>;

/** What a server knows about a request besides the `Request`. */
type Received = Parameters<typeof resolvePeer>[1];

/**
 * Returns the public URL of a request and the address of its client.
 *
 * @throws {Refusal} `BAD_HOST` (400): the `Host` header, or `X-Forwarded-Host`, is malformed.
 *
 * *Security*: with `trustProxy`, only the last value of each header counts: the nearest proxy wrote
 * it, and earlier values may be forged. Without it, the headers are ignored. If the forwarded address
 * cannot be parsed, the address of the peer is used and a warning is logged.
 *
 * @example
 * ```ts
 * import { resolvePeer } from "@sluice/sluice/server";
 * import assert from "node:assert/strict";
 *
 * const request = new Request("http://10.0.0.7:8000/ws/echo", {
 *   headers: { "x-forwarded-for": "192.0.2.7:5678", "x-forwarded-proto": "wss" },
 * });
 * const options = { trustProxy: true, publicUrl: "https://app.example.com" };
 * const remoteAddr = { hostname: "10.0.0.2", port: 1 };
 * const peer = resolvePeer(request, { remoteAddr }, options);
 * assert.equal(peer.url.href, "https://app.example.com/ws/echo");
 * assert.equal(peer.address, "192.0.2.7");
 * ```
 */
export function resolvePeer(
  request: Request,
  info: {
    /** Address of the peer, as `Deno.serve()`, Fresh and the other servers report it. */
    readonly remoteAddr?: unknown;
  } | undefined,
  options: {
    /** The public URL of the site. Its scheme, host and port replace those of every request. */
    readonly publicUrl?: string | URL | undefined;
    /** Whether to trust the peer's `X-Forwarded-For`, `-Proto` and `-Host`. @default {false} */
    readonly trustProxy?: boolean | undefined;
    /** Receives a warning for the first malformed header of a proxy. @default {consoleLog} */
    readonly log?: Log | undefined;
  } = {},
): {
  /**
   * The public URL. Its origin is that of `publicUrl`, or else the scheme and host of the request; the
   * request target never changes it.
   */
  readonly url: URL;
  /** IP address of the client, without a port. */
  readonly address: string;
} {
  const { headers } = request;
  const { scheme, authority, target } = splitRequestUrl(request.url);
  const isTrusted = options.trustProxy === true;
  const host = headers.get("host") ?? authority;
  const forwardedHost = isTrusted ? last(headers.get("x-forwarded-host")) : undefined;
  const malformed = [host, forwardedHost].find((text) => text !== undefined && !isHost(text));
  if (malformed !== undefined) throw refusalOfHost(malformed, options.log);
  // The scheme of an absolute-form target (RFC 9112 §3.2.2) says nothing about the connection.
  const received = host === authority ? scheme : "http";
  const origin = options.publicUrl === undefined
    ? `${(isTrusted && forwardedScheme(headers)) || received}://${forwardedHost ?? host}`
    : originText(options.publicUrl);
  // The target is appended to a complete origin, so no part of it can be parsed as a host.
  const url = new URL(origin + target);
  return { url, address: addressOf(headers, info, options) };
}

/** Returns the refusal of a malformed host and logs it. */
export function refusalOfHost(host: string, log: Log = consoleLog): Refusal {
  warnOnce(log, "Refused a request with an invalid Host", { host: host.slice(0, 200) });
  return Refusal.of("BAD_HOST");
}

const SCHEMES: Readonly<Record<string, string>> = {
  http: "http",
  https: "https",
  ws: "http",
  wss: "https",
};

function forwardedScheme(headers: Headers): string | undefined {
  const scheme = last(headers.get("x-forwarded-proto"))?.toLowerCase() ?? "";
  return Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
}

function addressOf(
  headers: Headers,
  info: Received,
  { trustProxy, log = consoleLog }: ProxyOptions,
): string {
  const forwarded = trustProxy === true ? last(headers.get("x-forwarded-for")) : undefined;
  const address = forwarded === undefined ? undefined : parseIpAddress(forwarded);
  if (address !== undefined) return address;
  if (forwarded !== undefined) {
    const fields = { value: forwarded.slice(0, 200) };
    warnOnce(log, "Cannot read an address in X-Forwarded-For; limits use the peer's", fields);
  }
  const { hostname: direct = "unknown" } = (info?.remoteAddr ?? {}) as { hostname?: string };
  return direct.includes(":") ? parseIpAddress(direct) ?? direct : direct;
}

/** Returns the last non-empty element of a list (RFC 9110 §5.6.1). */
function last(header: string | null): string | undefined {
  const elements = header?.split(",").map((element) => element.replace(/^[ \t]+|[ \t]+$/g, ""));
  return elements?.findLast((element) => element !== "");
}

/** Cached origins of the few `publicUrl` settings, so that each is parsed once. */
const origins = new Map<string, string>();

function originText(publicUrl: string | URL): string {
  const text = String(publicUrl);
  let origin = origins.get(text);
  if (origin === undefined) origins.set(text, origin = new URL(text).origin);
  return origin;
}

/** The parts of `request.url` as received. */
interface RequestTarget {
  /** `http` or `https`. */
  readonly scheme: "http" | "https";
  /** The host part, which is invalid if the `Host` header is. */
  readonly authority: string;
  /** Path and query; starts with `/`. */
  readonly target: string;
}

/** Splits `request.url` without parsing it, because it may be an invalid URL. Drops the fragment. */
function splitRequestUrl(url: string): RequestTarget {
  const start = url.indexOf("://") + 3;
  const found = url.slice(start).search(/[/?#]/);
  const end = found < 0 ? url.length : start + found;
  const [target = ""] = url.slice(end).split("#", 1);
  return {
    scheme: /^https:/i.test(url) ? "https" : "http",
    authority: url.slice(start, end),
    target: normalizePath(target.startsWith("/") ? target : `/${target}`),
  };
}

/** A name, an IPv4 address or an IPv6 address in brackets, with an optional port. */
const HOST = /^(?:[\w.-]{1,255}|\[[\da-f:.]{2,45}\])(?::\d{0,5})?$/i;

/**
 * Returns whether a text is a valid `Host` (RFC 9110 §7.2): a host and an optional port.
 *
 * *Security*: Deno copies the header into `request.url` unchecked. A host with `/`, `?`, `#` or `@`
 * would change the path or the host.
 */
export function isHost(text: string): boolean {
  return HOST.test(text) && URL.canParse(`http://${text}`);
}

/** @internal The sender's view of a request, before any proxies. */
export type Peer = ReturnType<typeof resolvePeer>;
