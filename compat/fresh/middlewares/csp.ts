import { nonceOf } from "../render/nonce.ts";
import type { Middleware } from "../routing/chain.ts";

/** Options of {@linkcode csp}. */
export interface CSPOptions {
  /** Report violations without preventing them. @default {false} */
  reportOnly?: boolean;
  /** URL to which violations are reported. */
  reportTo?: string;
  /** Directives to add, or to replace the default with the same name. */
  csp?: string[];
  /**
   * Allow a page's own inline scripts and styles with a nonce instead of `'unsafe-inline'`.
   * Responses that are not rendered pages keep `'unsafe-inline'`. @default {false}
   */
  useNonce?: boolean;
}

const DEFAULTS = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "upgrade-insecure-requests",
];

const WITH_NONCE =
  /^(?:script-src|style-src|script-src-elem|style-src-elem|style-src-attr|default-src) /;

/** Adds a `Content-Security-Policy` to every response. */
export function csp<State>(options: CSPOptions = {}): Middleware<State> {
  const directives = directivesOf(options);
  const header = options.reportOnly
    ? "Content-Security-Policy-Report-Only"
    : "Content-Security-Policy";
  return async (ctx) => {
    const response = await ctx.next();
    const nonce = options.useNonce ? nonceOf(response) : undefined;
    const applied = nonce === undefined ? directives : withNonce(directives, nonce);
    response.headers.set(header, applied.join("; "));
    if (options.reportTo) {
      response.headers.set("Reporting-Endpoints", `csp-endpoint="${options.reportTo}"`);
    }
    return response;
  };
}

function directivesOf({ csp: added = [], reportTo }: CSPOptions): string[] {
  const replaced = new Set(added.map(nameOf));
  const directives = [...DEFAULTS.filter((line) => !replaced.has(nameOf(line))), ...added];
  // `report-uri` is for browsers that do not support `report-to`.
  if (reportTo) directives.push("report-to csp-endpoint", `report-uri ${reportTo}`);
  return directives;
}

function nameOf(directive: string): string {
  return directive.split(" ", 1)[0];
}

function withNonce(directives: string[], nonce: string): string[] {
  return directives.map((line) =>
    WITH_NONCE.test(line) ? line.replaceAll("'unsafe-inline'", `'nonce-${nonce}'`) : line
  );
}
