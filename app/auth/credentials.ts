import type { credentialOf } from "@sluice/sluice/sessions";

/** A kind of credential that a route can accept. */
export type Credential = "cookie" | "bearer" | "ticket";

/**
 * The accepted credentials of a route by method. `GET` covers `HEAD`; a missing method accepts
 * none.
 */
type Accepted = Readonly<Partial<Record<"GET" | "POST" | "DELETE", readonly Credential[]>>>;

const NONE: readonly Credential[] = [];
/** For pages: programs do not use them, and a token must not make decisions for a user. */
const BROWSER: readonly Credential[] = ["cookie"];
const ANY: readonly Credential[] = ["cookie", "bearer"];

/**
 * The credentials that each route accepts, by Fresh's route pattern. This table is the only place
 * that decides it.
 *
 * *Security*: a missing route, such as one that you add, accepts only a browser's cookie.
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
  // Asks before it replaces a signed-in user.
  "/auth/signin": { GET: BROWSER },
  // Ends the browser's previous session.
  "/auth/callback/:provider": { GET: BROWSER },
  "/auth/signout": { POST: ANY },
  "/auth/dev/:path*": { GET: NONE, POST: NONE },
  "/auth/device": { POST: NONE },
  "/auth/device/token": { POST: NONE },
  // The socket handler reads them itself: see `realtime.ts`.
  "/ws/:path*": { GET: ["cookie", "ticket"], POST: ["cookie", "ticket"] },
  "/streams/:path*": { GET: [...ANY, "ticket"], POST: [...ANY, "ticket"] },
  "/healthz": { GET: NONE },
  "/readyz": { GET: NONE },
  "/metrics": { GET: NONE },
};

/** Returns the session tokens of a request that its route accepts. */
export function acceptedTokens(
  { route, req }: { readonly route: string | null; readonly req: Request },
  shown: ReturnType<typeof credentialOf>,
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
