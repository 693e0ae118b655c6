import { GitHubProvider, OidcProvider, type User } from "@sluice/sluice/auth";
import type { Settings } from "../settings/settings.ts";

type Identity = Pick<User, "provider" | "subject" | "login">;

/**
 * Returns whether a user is an admin: `ADMINS` names them by provider and subject, or, for GitHub
 * and the development provider, by login.
 *
 * *Security*: users of a server or issuer other than the configured one do not match. OpenID
 * Connect logins do not count, because users choose them. A GitHub login of digits only does not
 * count either, because it can be another user's id.
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
    const id = GitHubProvider.idOf(subject, github);
    if (id === undefined) return [];
    return /^(?!\d+$)[\w-]+$/.test(login) ? [id, login.toLowerCase()] : [id];
  }
  if (provider === "oidc") {
    const name = oidc && OidcProvider.subOf(subject, oidc.issuer);
    return name === undefined ? [] : [name];
  }
  return provider === "dev" ? [subject, login] : [];
}

/** GitHub logins are case-insensitive. */
function canonical(admin: string): string {
  return admin.startsWith("github:") ? admin.toLowerCase() : admin;
}
