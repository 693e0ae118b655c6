/**
 * Returns the normal form of a path, the same for all equivalent spellings (RFC 3986 §6.2.2):
 * percent-encoded letters, digits, `-`, `.`, `_` and `~` are decoded, and other octets use capital
 * letters. `scope.path` is in this form. A query is unchanged.
 */
export function normalizePath(target: string): string {
  if (!target.includes("%")) return target;
  const at = target.indexOf("?");
  const path = at < 0 ? target : target.slice(0, at);
  // A path that cannot be decoded is unchanged.
  if (/%(?![\da-f]{2})/i.test(path)) return target;
  return path.replace(/%../g, normalizeOctet) + target.slice(path.length);
}

function normalizeOctet(encoded: string): string {
  const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
  return /[A-Za-z\d._~-]/.test(character) ? character : encoded.toUpperCase();
}
