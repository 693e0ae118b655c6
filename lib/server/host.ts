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
