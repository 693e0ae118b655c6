/**
 * Returns the request's URL, or `null` if it is malformed, for example because of the `Host` header.
 *
 * Removes repeated slashes, because a redirect could leave the site otherwise. Percent-encoded letters, digits, `-`, `.`, `_`
 * and `~` are decoded: both spellings are one path (RFC 3986 §6.2.2.2).
 */
export function requestUrl(req: Request, trustProxy: boolean): URL | null {
  const url = URL.parse(req.url);
  if (url === null) return null;
  url.pathname = decodeUnreserved(url.pathname.replaceAll(/\/+/g, "/"));
  if (trustProxy) {
    const protocol = req.headers.get("x-forwarded-proto");
    const host = req.headers.get("x-forwarded-host");
    if (protocol) url.protocol = `${protocol}:`;
    if (host) url.host = host;
  }
  return url;
}

function decodeUnreserved(path: string): string {
  if (/%(?![\da-f]{2})/i.test(path)) return path;
  return path.replaceAll(/%../g, (encoded) => {
    const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
    return /[A-Za-z\d._~-]/.test(character) ? character : encoded;
  });
}
