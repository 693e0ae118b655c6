/** That a stack with a gap does not compile. What is marked as an error here must be one. */
import { test } from "node:test";
import type { Application, Scope } from "../../lib/scope.ts";
import {
  MemoryUserStore,
  requireUser,
  type SignedInScope,
  type UserScope,
  withUser,
} from "../../lib/auth/mod.ts";
import {
  MemorySessionStore,
  Sessions,
  type SessionScope,
  withSession,
} from "../../lib/sessions/mod.ts";

declare function toHandler(app: Application<Scope>): void;
declare function router<S>(routes: readonly Application<S>[]): Application<S>;
declare function withOrigins<S>(next: Application<S>): Application<S & Scope>;

interface TenantScope extends Scope {
  readonly tenant: string;
}
/** A middleware of the reader's own, that adds to the scope. */
declare function withTenant<S>(next: Application<S & TenantScope>): Application<S & Scope>;
/** One that needs a user, and adds to the scope. */
declare function withRole<S>(
  next: Application<S & { readonly role: "admin" | "guest" }>,
): Application<S & SignedInScope>;

declare const needsNothing: Application<Scope>;
declare const needsSession: Application<SessionScope>;
declare const needsUser: Application<SignedInScope>;
declare const mayHaveUser: Application<UserScope>;
declare const needsTenant: Application<SignedInScope & TenantScope>;
declare const needsRole: Application<SignedInScope & { readonly role: "admin" | "guest" }>;

const sessions = new Sessions(new MemorySessionStore(), { log: console });
const users = new MemoryUserStore();

/** Never called: compiled only. */
export function complete(): void {
  toHandler(
    withSession(sessions, withUser(users, requireUser(router<SignedInScope>([needsUser])))),
  );
  toHandler(withOrigins(withSession(sessions, withUser(users, requireUser(needsUser)))));
  toHandler(withSession(sessions, withUser(users, mayHaveUser)));
  toHandler(withSession(sessions, withUser(users, requireUser(mayHaveUser))));
  toHandler(withSession(sessions, needsSession));
  toHandler(withSession(sessions, withUser(users, requireUser(needsNothing))));
  toHandler(withSession(sessions, needsNothing));

  toHandler(withTenant(withSession(sessions, withUser(users, requireUser(needsTenant)))));
  toHandler(withSession(sessions, withTenant(withUser(users, requireUser(needsTenant)))));
  toHandler(withSession(sessions, withUser(users, withTenant(requireUser(needsTenant)))));
  toHandler(withSession(sessions, withUser(users, requireUser(withTenant(needsTenant)))));
  toHandler(withSession(sessions, withUser(users, requireUser(withRole(needsRole)))));

  withSession(sessions, (scope) => new Response(scope.session?.id));
  withUser(users, (scope) => new Response(scope.user?.id));
  requireUser((scope) => new Response(scope.user.id + scope.session.id));
}

/** Never called: compiled only. */
export function incomplete(): void {
  // @ts-expect-error Nothing finds the user.
  toHandler(needsUser);
  // @ts-expect-error Nothing finds the session.
  toHandler(withUser(users, requireUser(needsUser)));
  // @ts-expect-error Nothing finds the session.
  toHandler(requireUser(needsUser));
  // @ts-expect-error Nothing finds the user.
  toHandler(withSession(sessions, requireUser(needsUser)));
  // @ts-expect-error Nobody is turned away who is not signed in.
  toHandler(withSession(sessions, withUser(users, needsUser)));
  // @ts-expect-error The order is wrong.
  toHandler(withUser(users, withSession(sessions, requireUser(needsUser))));
  // @ts-expect-error The order is wrong.
  toHandler(withSession(sessions, requireUser(withUser(users, needsUser))));
  // @ts-expect-error Nothing finds the tenant.
  toHandler(withSession(sessions, withUser(users, requireUser(needsTenant))));
  // @ts-expect-error The role needs a user.
  toHandler(withSession(sessions, withUser(users, withRole(requireUser(needsRole)))));
  // @ts-expect-error Without requireUser() there may be nobody.
  withUser(users, (scope) => new Response(scope.user.id));
}

test("an incomplete stack does not compile", () => {});
