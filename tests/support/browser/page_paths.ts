/** Pages that need no session. */
export const PUBLIC_PATHS: readonly string[] = ["/", "/signin", "/signin?return_to=/rooms/lobby"];

/** Pages of every user, those that say that something failed included. */
export const USER_PATHS: readonly string[] = [
  "/",
  "/rooms",
  "/rooms?room=a.b",
  "/rooms/lobby",
  "/rooms/caf%C3%A9",
  "/sessions",
  "/sessions?done=ended",
  "/device",
  "/device?user_code=BCDF-GHJK",
  "/auth/signout",
  "/auth/callback/dev",
  "/nothing",
];
