import { gitHubIssuer, nameAt, type User } from "@sluice/sluice/auth";
import type { Settings } from "./settings.ts";

type Identity = Pick<User, "provider" | "subject" | "login">;

/**
 * Returns whether a person looks after others here: `ADMINS` names them by provider and subject, or,
 * at GitHub and at the development provider, by their login.
 *
 * *Security*: people of a server or issuer other than the one that is set now are not meant. Logins
 * of OpenID Connect are chosen by people and do not count. A GitHub login of digits alone does not
 * count either, as it can be the id of another person.
 */
export function isAdmin(
  settings: Pick<Settings, "admins" | "github" | "oidc">,
  user: Identity,
): boolean {
  const names = namesOf(settings, user).map((name) => `${user.provider}:${name}`);
  return settings.admins.some((admin) => names.includes(canonical(admin)));
}

function namesOf(
  { github, oidc }: Pick<Settings, "github" | "oidc">,
  { provider, subject, login }: Identity,
): string[] {
  if (provider === "github") {
    const id = nameAt(gitHubIssuer(github ?? {}), subject);
    if (id === undefined) return [];
    return /^(?!\d+$)[\w-]+$/.test(login) ? [id, login.toLowerCase()] : [id];
  }
  if (provider === "oidc") {
    const name = oidc && nameAt(oidc.issuer, subject);
    return name === undefined ? [] : [name];
  }
  return provider === "dev" ? [subject, login] : [];
}

/** GitHub's logins have no case. */
function canonical(admin: string): string {
  return admin.startsWith("github:") ? admin.toLowerCase() : admin;
}
