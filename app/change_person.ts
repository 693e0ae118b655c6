import { banUser, removeUser, setRoles, unbanUser, type User } from "@sluice/sluice/auth";
import type { Person } from "./define.ts";
import { parseRoles } from "./roles.ts";
import type { Services } from "./services.ts";

/** What was done to a person. */
export type PersonChange = "banned" | "unbanned" | "roles" | "ended" | "removed";

/** Why nothing was done. */
export type PersonProblem = "yourself" | "roles-invalid" | "not-confirmed" | "unknown";

/** What came of it. */
export type PersonResult = { readonly done: PersonChange } | { readonly problem: PersonProblem };

type Parts = Pick<Services, "users" | "sessions" | "audit">;

interface Change {
  readonly parts: Parts;
  /** Who does it. */
  readonly admin: Person;
  readonly user: User;
  readonly form: FormData;
}

/** What a form can ask for, by the value of its button `do`. */
const CHANGES: Readonly<Record<string, (change: Change) => Promise<PersonResult>>> = {
  ban,
  unban,
  roles: changeRoles,
  end: endSessions,
  remove,
};

/**
 * Does to a person what a form asks for, and notes who did it.
 *
 * *Security*: for people who {@linkcode isAdmin}; the route has to check. Nobody bans or removes
 * themself.
 */
export async function changePerson(change: Change): Promise<PersonResult> {
  const action = String(change.form.get("do"));
  const work = Object.hasOwn(CHANGES, action) ? CHANGES[action] : undefined;
  return work === undefined ? { problem: "unknown" } : await work(change);
}

async function ban({ parts, admin, user }: Change): Promise<PersonResult> {
  if (user.id === admin.user.id) return { problem: "yourself" };
  await banUser(parts, user.id, { by: admin.user.id });
  return { done: "banned" };
}

async function unban({ parts, admin, user }: Change): Promise<PersonResult> {
  await unbanUser(parts, user.id, { by: admin.user.id });
  parts.audit.write({ kind: "user-unbanned", userId: user.id, by: admin.user.id });
  return { done: "unbanned" };
}

async function changeRoles({ parts, admin, user, form }: Change): Promise<PersonResult> {
  const roles = parseRoles(String(form.get("roles") ?? ""));
  if (roles === undefined) return { problem: "roles-invalid" };
  await setRoles(parts, user.id, roles);
  const code = roles.join(" ") || "none";
  parts.audit.write({ kind: "roles-changed", userId: user.id, code, by: admin.user.id });
  return { done: "roles" };
}

/** All of them; of one's own all but this one. */
async function endSessions({ parts, admin, user }: Change): Promise<PersonResult> {
  const except = user.id === admin.user.id ? { except: admin.session.id } : {};
  await parts.sessions.endAll(user.id, { ...except, reason: "revoked", by: admin.user.id });
  return { done: "ended" };
}

async function remove({ parts, admin, user, form }: Change): Promise<PersonResult> {
  if (user.id === admin.user.id) return { problem: "yourself" };
  if (String(form.get("confirm") ?? "").trim() !== user.login) return { problem: "not-confirmed" };
  await removeUser(parts.users, parts.sessions, user, { by: admin.user.id });
  return { done: "removed" };
}
