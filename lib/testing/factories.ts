import type { User } from "../auth/mod.ts";
import type { ChannelLayer, Layers } from "../layers/mod.ts";
import { MemoryChannelLayer } from "../layers/mod.ts";
import type { Session } from "../sessions/mod.ts";

let serial = 0;

/** Makes a person: another one at each call, `ada`, unless something else is said. */
export function makeUser(overrides: Partial<User> = {}): User {
  const id = `user-${++serial}`;
  const at = Date.UTC(2026, 0, 1);
  return {
    id,
    provider: "dev",
    subject: id,
    login: "ada",
    name: "Ada Lovelace",
    avatarUrl: "",
    createdAt: at,
    updatedAt: at,
    ...overrides,
  };
}

/** Makes a session, that of `makeUser()` unless something else is said. It is in no store. */
export function makeSession(overrides: Partial<Session> = {}): Session {
  const at = Date.UTC(2026, 0, 1);
  return {
    id: `session-${++serial}`,
    userId: "user-1",
    provider: "dev",
    kind: "browser",
    createdAt: at,
    signedInAt: at,
    lastSeenAt: at,
    secretSince: at,
    revocations: 0,
    expiresAt: at + 86_400_000,
    userAgent: "test",
    address: "127.0.0.1",
    ...overrides,
  };
}

/** What a signed-in person's connection has in its scope, besides the request. */
export interface SignedInExtras extends Readonly<Record<string, unknown>> {
  readonly user: User;
  readonly session: Session;
  readonly sessionState: "live";
  readonly layers: Layers;
}

/**
 * Makes what a stack would have added to the scope of somebody who is signed in: for the `scope`
 * option of `communicate()`.
 *
 * @example
 * ```ts
 * import { signedIn } from "@sluice/sluice/testing";
 * import assert from "node:assert/strict";
 *
 * const scope = signedIn({ user: { login: "grace" } });
 * assert.equal(scope.user.login, "grace");
 * assert.equal(scope.session.userId, scope.user.id);
 * ```
 */
export function signedIn(
  options: {
    readonly user?: Partial<User>;
    readonly session?: Partial<Session>;
    /** A layer of its own where none is given. */
    readonly layer?: ChannelLayer;
    readonly params?: Readonly<Record<string, string | number>>;
  } = {},
): SignedInExtras {
  const user = makeUser(options.user);
  const session = makeSession({ userId: user.id, ...options.session });
  const layers = { default: options.layer ?? new MemoryChannelLayer() };
  const params = options.params === undefined ? {} : { params: options.params };
  return { user, session, sessionState: "live", layers, ...params };
}
