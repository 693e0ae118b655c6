import { parseOrigin } from "./origin.ts";

/**
 * Decides whether an origin is allowed.
 *
 * @internal
 */
export type OriginRule = (
  origin: { readonly scheme: string; readonly host: string; readonly port: string },
) => boolean;

/**
 * Reads a rule for origins:
 *
 * | rule | allows |
 * | --- | --- |
 * | `https://app.example.com` | that scheme, host and port |
 * | `app.example.com` | the host, with any scheme and port |
 * | `app.example.com:8443` | the host and port, with any scheme |
 * | `.example.com` | the domain and its subdomains; also `https://.example.com` |
 * | `*` | every origin (but never a missing one, or `null`) |
 *
 * @throws {TypeError} The rule does not match any of these forms.
 */
export function parseOriginRule(rule: string): OriginRule {
  if (rule === "*") return () => true;
  const [, scheme, dot, rest] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(\.?)([^\s/]+)$/i.exec(rule) ?? [];
  const wanted = rest === undefined ? undefined : parseOrigin(`${scheme ?? "http"}://${rest}`);
  const isHost = rest !== undefined &&
    /^(?:[\p{L}\p{N}._-]*[\p{L}\p{N}]|\[[\da-f:.]+\])(?::\d+)?$/iu.test(rest);
  if (wanted === undefined || !isHost || rest === "null") {
    throw new TypeError(
      `Cannot use the origin rule "${rule}": it takes https://host, host, .domain or *`,
    );
  }
  const hasPort = /:\d+$/.test(rest!);
  const checksPort = hasPort || (scheme !== undefined && wanted.port !== "");
  return (origin) =>
    (scheme === undefined || origin.scheme === wanted.scheme) &&
    (!checksPort || origin.port === wanted.port) &&
    (origin.host === wanted.host || (dot === "." && origin.host.endsWith(`.${wanted.host}`)));
}
