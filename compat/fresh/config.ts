/** Options of an `App`. */
export interface FreshConfig {
  /** Path under which the whole app is served, such as `/docs`. */
  basePath?: string;
  /** How the app runs. @default {"production"} */
  mode?: "development" | "production";
  /**
   * Use `X-Forwarded-Proto` and `X-Forwarded-Host` for `ctx.url`. Security: enable this only behind a
   * proxy that sets both, because any client can send them. @default {false}
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
  /** Whether forwarded headers are trusted. */
  trustProxy: boolean;
}
