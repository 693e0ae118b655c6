import type { User } from "../auth/mod.ts";
import type { ChannelLayer } from "../layers/mod.ts";
import type { NamedLayers } from "../layers/with_layer.ts";
import { MemoryChannelLayer } from "../layers/mod.ts";
import type { Session } from "../sessions/mod.ts";

let serial = 0;

/**
 * Creates a user: `ada`, with a new id on each call, unless overridden.
 */
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

/**
 * Creates a session, for the user of `makeUser()` unless overridden. No store contains it.
 */
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

/**
 * Creates the additions of a stack to the scope of a signed-in user, for the `scope` option of
 * `communicate()`.
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
    /** The channel layer; a new one by default. */
    readonly layer?: ChannelLayer;
    readonly params?: Readonly<Record<string, string | number>>;
  } = {},
): Readonly<Record<string, unknown>> & {
  readonly user: User;
  readonly session: Session;
  readonly sessionState: "live";
  readonly layers: NamedLayers;
} {
  const user = makeUser(options.user);
  const session = makeSession({ userId: user.id, ...options.session });
  const layers = { default: options.layer ?? new MemoryChannelLayer() };
  const params = options.params === undefined ? {} : { params: options.params };
  return { user, session, sessionState: "live", layers, ...params };
}
