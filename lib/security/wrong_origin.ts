import type { Scope } from "../core/scope.ts";
import { originOf, parseOrigin } from "./origin.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Refused origins that are logged; clients can send any number of others. */
const MAX_LOGGED = 20;

/**
 * Describes an origin that was probably meant to be allowed: another name of this machine, or another
 * scheme or port of the same host. Returns undefined for others.
 */
export function describeNearMiss(origin: string, url: URL): string | undefined {
  if (parseOrigin(origin) === undefined || !URL.canParse(origin)) return undefined;
  const page = new URL(origin);
  const isNear = page.hostname === url.hostname ||
    (LOOPBACK.has(page.hostname) && LOOPBACK.has(url.hostname));
  if (!isNear || originOf(url) === undefined) return undefined;
  return `The page is at ${page.origin}, but this server is at ${url.origin}: open that address, or ` +
    `allow the origin of the page, with ALLOWED_ORIGINS or origins(["${page.origin}"])`;
}

/** Logs each refused origin once, up to 20 of them, with what would allow it. */
export class WrongOriginLog {
  readonly #logged = new Set<string>();

  /** Logs the refusal of a connection. */
  refused(header: string, { connection, url }: Scope, detail: string | undefined): void {
    const origin = header.slice(0, 200);
    if (this.#logged.has(origin) || this.#logged.size >= MAX_LOGGED) return;
    this.#logged.add(origin);
    const setting = "ALLOWED_ORIGINS, or origins([…])";
    if (detail !== undefined) connection.log.warn(detail, { origin });
    else connection.log.debug("Refused an origin", { origin, server: url.origin, setting });
  }
}
