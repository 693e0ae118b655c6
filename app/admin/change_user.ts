import { type User, UserChanges } from "@sluice/sluice/auth";
import type { Identity } from "../auth/identity.ts";
import { parseRoles } from "./roles.ts";
import type { Services } from "../services.ts";

/** A change of a user. */
export type UserChange = "banned" | "unbanned" | "roles" | "ended" | "removed";

/** The reason why nothing was changed. */
export type UserProblem = "yourself" | "roles-invalid" | "not-confirmed" | "unknown";

/** The outcome of a change. */
export type UserResult = { readonly done: UserChange } | { readonly problem: UserProblem };

type Parts = Pick<Services, "users" | "sessions" | "audit">;

interface Change {
  readonly parts: Parts;
  /** The admin who makes the change. */
  readonly admin: Identity;
  readonly user: User;
  readonly form: FormData;
}

/** The changes that a form can request, by the value of its button `do`. */
const CHANGES: Readonly<Record<string, (change: Change) => Promise<UserResult>>> = {
  ban,
  unban,
  roles: changeRoles,
  end: endSessions,
  remove,
};

/**
 * Applies the change that a form requests to a user, and records the admin who made it.
 *
 * *Security*: for admins only; the route must check {@linkcode isAdmin}. Admins cannot ban or
 * remove themselves.
 */
export async function changeUser(change: Change): Promise<UserResult> {
  const action = String(change.form.get("do"));
  const work = Object.hasOwn(CHANGES, action) ? CHANGES[action] : undefined;
  return work === undefined ? { problem: "unknown" } : await work(change);
}

async function ban({ parts, admin, user }: Change): Promise<UserResult> {
  if (user.id === admin.user.id) return { problem: "yourself" };
  await new UserChanges(parts).ban(user.id, { by: admin.user.id });
  return { done: "banned" };
}

async function unban({ parts, admin, user }: Change): Promise<UserResult> {
  await new UserChanges(parts).unban(user.id, { by: admin.user.id });
  parts.audit.write({ kind: "user-unbanned", userId: user.id, by: admin.user.id });
  return { done: "unbanned" };
}

async function changeRoles({ parts, admin, user, form }: Change): Promise<UserResult> {
  const roles = parseRoles(String(form.get("roles") ?? ""));
  if (roles === undefined) return { problem: "roles-invalid" };
  await new UserChanges(parts).setRoles(user.id, roles);
  const code = roles.join(" ") || "none";
  parts.audit.write({ kind: "roles-changed", userId: user.id, code, by: admin.user.id });
  return { done: "roles" };
}

/** Ends all sessions of a user; of the admin's own, all but the current one. */
async function endSessions({ parts, admin, user }: Change): Promise<UserResult> {
  const except = user.id === admin.user.id ? { except: admin.session.id } : {};
  await parts.sessions.endAll(user.id, { ...except, reason: "revoked", by: admin.user.id });
  return { done: "ended" };
}

async function remove({ parts, admin, user, form }: Change): Promise<UserResult> {
  if (user.id === admin.user.id) return { problem: "yourself" };
  if (String(form.get("confirm") ?? "").trim() !== user.login) return { problem: "not-confirmed" };
  await new UserChanges(parts).remove(user.id, { by: admin.user.id });
  return { done: "removed" };
}
