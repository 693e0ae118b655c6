/**
 * Stacks with a gap or in the wrong order do not compile. Each `@ts-expect-error` marks a line that must
 * be an error; the functions are the real ones. `stack_test.ts` has the checks at run time.
 */
import { test } from "node:test";
import type { Application, Middleware, OriginScope, Scope } from "@sluice/sluice";
import {
  allowAnonymous,
  MemoryUserStore,
  requireUser,
  type SignedInScope,
  user,
  type UserScope,
} from "@sluice/sluice/auth";
import { withUser } from "../../lib/auth/with_user.ts";
import { layer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { route, router, stack } from "@sluice/sluice/routing";
import { anyOrigin, origins, socketLimits } from "@sluice/sluice/security";
import { withOrigins } from "../../lib/security/with_origins.ts";
import { toHandler } from "@sluice/sluice/server";
import { MemorySessionStore, session, Sessions, type SessionScope } from "@sluice/sluice/sessions";
import { withSession } from "../../lib/sessions/with_session.ts";

interface TenantScope extends Scope {
  readonly tenant: string;
}
/** Middleware of an application, that adds to the scope. */
declare function tenant(): Middleware<Scope, TenantScope>;
/** Middleware that needs a user. */
declare function role(): Middleware<SignedInScope, { readonly role: "admin" | "guest" }>;

declare const needsNothing: Application<Scope>;
declare const needsSession: Application<SessionScope>;
declare const needsUser: Application<SignedInScope>;
declare const mayHaveUser: Application<UserScope>;
declare const needsTenant: Application<SignedInScope & TenantScope>;
declare const needsRole: Application<SignedInScope & { readonly role: "admin" | "guest" }>;

const sessions = new Sessions(new MemorySessionStore(), { log: console });
const users = new MemoryUserStore();
const channelLayer = new MemoryChannelLayer();

/** Never called: compiled only. */
export function complete(): void {
  const known = stack().use(origins([])).use(session(sessions)).use(user(users));
  toHandler(known.use(requireUser()).routes([route("/", needsUser)]));
  toHandler(known.use(requireUser()).around(router<SignedInScope>([route("/", needsUser)])));
  toHandler(known.use(allowAnonymous()).routes([route("/", mayHaveUser)]));
  toHandler(known.use(requireUser()).use(layer(channelLayer)).routes([route("/", needsNothing)]));
  toHandler(known.use(requireUser()).use(socketLimits()).routes([route("/", needsSession)]));
  toHandler(known.use(tenant()).use(requireUser()).routes([route("/", needsTenant)]));
  toHandler(known.use(requireUser()).use(tenant()).routes([route("/", needsTenant)]));
  toHandler(
    stack().use(tenant()).use(origins([])).use(session(sessions)).use(user(users))
      .use(requireUser()).use(role()).routes([route("/", needsRole)]),
  );
  toHandler(stack().use(anyOrigin()).use(allowAnonymous()).routes([route("/", needsNothing)]));

  toHandler(withOrigins([], withSession(sessions, withUser(users, requireUser(needsUser)))));
  toHandler(
    withOrigins([], withSession(sessions, withUser(users, allowAnonymous()(mayHaveUser)))),
  );
  withSession(sessions, (scope) => new Response(scope.session?.id));
  withUser(users, (scope) => new Response(scope.user?.id));
  requireUser((scope) => new Response(scope.user.id + scope.session.id));
}

/** Never called: compiled only. */
export function incomplete(): void {
  const checked = stack().use(origins([]));
  // @ts-expect-error The session is read before the origin is checked.
  stack().use(session(sessions));
  // @ts-expect-error Nothing reads the session.
  checked.use(user(users));
  // @ts-expect-error Nothing reads the user.
  checked.use(session(sessions)).use(requireUser());
  // @ts-expect-error Nothing reads the user.
  checked.use(socketLimits());
  // @ts-expect-error The role needs a signed-in user.
  checked.use(session(sessions)).use(user(users)).use(role());
  // @ts-expect-error Anonymous clients have no user.
  checked.use(session(sessions)).use(user(users)).routes([route("/", needsUser)]);
  // @ts-expect-error Nothing adds the tenant.
  checked.use(session(sessions)).use(user(users)).use(requireUser()).around(needsTenant);
  // @ts-expect-error Without a layer.
  checked.routes([route("/", layer(channelLayer))]);

  // @ts-expect-error No origin is checked.
  toHandler(withSession(sessions, withUser(users, requireUser(needsUser))));
  // @ts-expect-error The origin is checked after the session was read.
  toHandler(withSession(sessions, withUser(users, withOrigins([], requireUser(needsUser)))));
  // @ts-expect-error Nothing reads the user.
  toHandler(withOrigins([], needsUser));
  // @ts-expect-error Nothing reads the session.
  toHandler(withOrigins([], withUser(users, requireUser(needsUser))));
  // @ts-expect-error The order is wrong.
  toHandler(withOrigins([], withUser(users, withSession(sessions, requireUser(needsUser)))));
  // @ts-expect-error Without requireUser() there may be no user.
  withUser(users, (scope) => new Response(scope.user.id));
}

/** What a middleware may rely on, as a type that is used: an origin that was checked. */
export type Checked = OriginScope["originChecked"];

test("an incomplete stack does not compile", () => {});
