/**
 * Returns the `ws` or `wss` URL of an address, without its fragment.
 *
 * @throws {TypeError} The address cannot be resolved, or has another scheme.
 */
export function socketUrl(address: string | URL, base: string | undefined): string {
  const [, secure, rest] = /^(?:http|ws)(s?):([^#]+)/.exec(toHref(address, base)) ?? [];
  if (rest === undefined) {
    throw new TypeError(`Cannot connect to "${address}": it is not an http or ws URL`);
  }
  return `ws${secure}:${rest}`;
}

function toHref(address: string | URL, base: string | undefined): string {
  try {
    return new URL(address, base).href;
  } catch {
    return "";
  }
}
