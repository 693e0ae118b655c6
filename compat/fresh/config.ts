/** What can be set when an `App` is made. */
export interface FreshConfig {
  /** Path under which the whole app is served, such as `/docs`. */
  basePath?: string;
  /** How the app runs. @default {"production"} */
  mode?: "development" | "production";
  /**
   * Believe `X-Forwarded-Proto` and `X-Forwarded-Host` when `ctx.url` is made. Security: only
   * behind a proxy that sets both, since any client can send them. @default {false}
   */
  trustProxy?: boolean;
}

/** The settings of a running app, with defaults filled in. */
export interface ResolvedFreshConfig {
  /** Directory of the project. */
  root: string;
  /** Path under which the whole app is served; empty for the root. */
  basePath: string;
  /** How the app runs. */
  mode: "development" | "production";
  /** Whether forwarded headers are believed. */
  trustProxy: boolean;
}
