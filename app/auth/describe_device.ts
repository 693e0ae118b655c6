/** Names of browsers, the most specific first: most claim to be several. */
const BROWSERS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Edge", /Edg(?:A|iOS)?\//],
  ["Opera", /OPR\//],
  ["Samsung Internet", /SamsungBrowser\//],
  ["Firefox", /Firefox\/|FxiOS\//],
  ["Chrome", /Chrome\/|CriOS\//],
  ["Safari", /Safari\//],
  ["curl", /^curl\//],
  ["Deno", /^Deno\//],
  ["Node", /^(?:node|undici)/i],
];

const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Android", /Android/],
  ["iPhone", /iPhone/],
  ["iPad", /iPad/],
  ["ChromeOS", /CrOS/],
  ["Windows", /Windows/],
  ["macOS", /Mac OS X/],
  ["Linux", /Linux/],
];

/**
 * Returns a short name of a browser or program, such as "Firefox on Linux".
 *
 * *Security*: only a hint; a client can send any name.
 */
export function describeDevice(userAgent: string): string {
  const find = (names: typeof BROWSERS) =>
    names.find(([, pattern]) => pattern.test(userAgent))?.[0];
  const found = [find(BROWSERS), find(SYSTEMS)].filter((name) => name !== undefined);
  return found.join(" on ") || "Unknown device";
}

/** Returns an address without its last part: enough for its owner to recognise it. */
export function shortenAddress(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const [, network] = /^(\d+\.\d+\.\d+)\.\d+$/.exec(address) ?? [];
  if (network !== undefined) return `${network}.x`;
  const groups = address.split(":");
  return groups.length > 2 ? `${groups.slice(0, 3).join(":")}:…` : undefined;
}
