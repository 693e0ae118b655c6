import { isLoopback } from "../providers/back_channel.ts";
import type { SignInRequest } from "../oauth/sign_in_request.ts";

/**
 * Returns whether a request was made on this machine: the peer has a loopback address, the `Host`
 * is loopback, and no header shows that the request was forwarded.
 *
 * *Security*: a proxy or a tunnel on this machine is a local peer, and most of them can set the
 * `Host`. An unknown address does not count as local.
 */
export function isLocalRequest({ url, headers, address }: SignInRequest): boolean {
  const host = headers.get("host");
  return address !== undefined && isLoopbackAddress(address) &&
    isLoopback(url.hostname) &&
    (host === null || isLoopback(URL.parse(`http://${host}`)?.hostname ?? "")) &&
    ![...headers.keys()].some((name) => FORWARDING.test(name));
}

/** Matches `127.0.0.0/8` and `::1`, also as IPv4-mapped IPv6. */
function isLoopbackAddress(address: string): boolean {
  const ipv4 = address.replace(/^::ffff:/i, "");
  return address === "::1" || /^127(\.\d{1,3}){3}$/.test(ipv4);
}

/**
 * Headers that proxies, load balancers, content delivery networks and tunnels add: RFC 7239, RFC
 * 9110 §7.6.3, RFC 8586, the `X-Forwarded-*` family, and headers with the client's address or the
 * original URL.
 */
const FORWARDING = new RegExp(
  [
    "forwarded",
    "^via$",
    "^cdn-loop$",
    "^x-original-",
    "^x-rewrite-url$",
    "^x-(proxy|envoy|amzn-trace|arr|appengine|azure|cloud-trace|vercel|ngrok)",
    "^(cf|fly|fastly|akamai|cloudfront|tailscale|ngrok)-",
    "(client|connecting|originating|real|remote|cluster|source|peer|user)[-_]?(ip|addr|host|port)",
  ].join("|"),
  "i",
);
