/** A name or an IPv4 address, or an IPv6 address in brackets; then a port, or none. */
const HOST = /^(?:[\w.-]{1,255}|\[[\da-f:.]{2,45}\])(?::\d{0,5})?$/i;

/**
 * Returns whether a text is a valid `Host` (RFC 9110 §7.2): a host, and perhaps a port.
 *
 * *Security*: Deno puts the header into `request.url` as it is. A host with `/`, `?`, `#` or `@` would be
 * another path, or another host.
 */
export function isHost(text: string): boolean {
  return HOST.test(text) && URL.canParse(`http://${text}`);
}
