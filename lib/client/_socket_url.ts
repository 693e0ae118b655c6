/**
 * Returns the `ws` or `wss` URL of an address, without its fragment.
 *
 * @throws {TypeError} The address cannot be resolved, or has another scheme.
 */
export function socketUrl(address: string | URL, base: string | undefined): string {
  const rest = /^(?:http|ws)(s?:[^#]+)/.exec(new URL(address, base).href)?.[1];
  if (!rest) throw new TypeError(`"${address}" is not an http or ws URL`);
  return `ws${rest}`;
}
