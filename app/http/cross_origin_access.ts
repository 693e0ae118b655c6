import { createCrossOrigin } from "@sluice/sluice/security";

/** The paths of sockets, and of the tickets for them: open to every origin that may open sockets. */
const SOCKETS = /^\/(?:ws\/|streams\/|api\/tickets$)/;

/** The paths of the session: open to origins that `ALLOWED_ORIGINS` names, not to its `*`. */
const SESSION = /^\/(?:api\/me|auth\/signout)$/;

/** Which pages of other origins may use which paths. */
export interface CrossOriginAccess {
  /** Returns the rules of a path; undefined if only pages of this site may use it. */
  rulesFor(path: string): ReturnType<typeof createCrossOrigin> | undefined;
}

/** @throws {TypeError} A rule is invalid. */
export function createCrossOriginAccess(allowed: readonly string[]): CrossOriginAccess {
  const sockets = createCrossOrigin(allowed);
  const session = createCrossOrigin(allowed.filter((rule) => rule !== "*"));
  return {
    rulesFor(path) {
      if (SOCKETS.test(path)) return sockets;
      return SESSION.test(path) ? session : undefined;
    },
  };
}
