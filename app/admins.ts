import type { User } from "@sluice/sluice/auth";
import type { Settings } from "./settings.ts";

/**
 * Whether somebody looks after others here: `ADMINS` has their provider and login.
 *
 * *Security*: a login may go to somebody else at the provider, or be of one's own choosing there:
 * name people of providers alone where it is neither. GitHub's has no case.
 */
export function isAdmin(
  { admins }: Pick<Settings, "admins">,
  user: Pick<User, "provider" | "login">,
): boolean {
  const name = nameOf(`${user.provider}:${user.login}`);
  return admins.some((admin) => nameOf(admin) === name);
}

function nameOf(admin: string): string {
  return /^github:/.test(admin) ? admin.toLowerCase() : admin;
}
