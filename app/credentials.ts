import type { Credential as ShownCredential } from "@sluice/sluice/sessions";

/** What a route accepts as proof of who asks. */
export type Credential = "cookie" | "bearer" | "ticket";

/** What a route accepts, by method. `GET` covers `HEAD`; a method that is missing is refused. */
type Accepted = Readonly<Partial<Record<"GET" | "POST" | "DELETE", readonly Credential[]>>>;

const NONE: readonly Credential[] = [];
/** Pages: a program has no use for them, and a token must not do what a person decides. */
const BROWSER: readonly Credential[] = ["cookie"];
const ANY: readonly Credential[] = ["cookie", "bearer"];

/**
 * Which credential each route accepts: the only place where this is decided. The routes are those of
 * Fresh, by their patterns.
 *
 * *Security*: a route that is missing, such as one that you add, accepts a browser's cookie alone.
 */
export const CREDENTIALS: Readonly<Record<string, Accepted>> = {
  "/": { GET: BROWSER },
  "/signin": { GET: BROWSER },
  "/sessions": { GET: BROWSER, POST: BROWSER },
  "/rooms": { GET: BROWSER },
  "/rooms/:room": { GET: BROWSER },
  "/device": { GET: BROWSER, POST: BROWSER },
  "/people": { GET: BROWSER },
  "/people/:id": { GET: BROWSER, POST: BROWSER },
  "/api/me": { GET: ANY },
  "/api/sessions": { GET: ANY, DELETE: ANY },
  "/api/sessions/:id": { DELETE: ANY },
  "/api/tickets": { POST: ANY },
  // Asks before it signs in somebody else.
  "/auth/signin": { GET: BROWSER },
  // Ends the session that the browser had before.
  "/auth/callback/:provider": { GET: BROWSER },
  "/auth/signout": { POST: ANY },
  "/auth/dev/:path*": { GET: NONE, POST: NONE },
  "/auth/device": { POST: NONE },
  "/auth/device/token": { POST: NONE },
  // The gate reads them itself: see `realtime.ts`.
  "/ws/:path*": { GET: ["cookie", "ticket"] },
  "/healthz": { GET: NONE },
  "/readyz": { GET: NONE },
  "/metrics": { GET: NONE },
};

/** Returns the session tokens that count for a request: those of a credential that its route accepts. */
export function acceptedTokens(
  { route, req }: { readonly route: string | null; readonly req: Request },
  shown: ShownCredential | undefined,
): readonly string[] {
  const method = req.method === "HEAD" ? "GET" : req.method;
  const kinds = kindsOf(route?.replace(/(?<=.)\/$/, ""), method);
  return shown !== undefined && kinds.includes(shown.kind) ? shown.tokens : [];
}

function kindsOf(route: string | undefined, method: string): readonly Credential[] {
  const isListed = route !== undefined && Object.hasOwn(CREDENTIALS, route);
  if (!isListed) return BROWSER;
  return Object.entries(CREDENTIALS[route]!).find(([name]) => name === method)?.[1] ?? NONE;
}
