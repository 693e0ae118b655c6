/** Most roles of one person. */
const MAX_ROLES = 20;

/** What a role may be called. */
export const ROLE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/;

/** Reads roles with spaces or commas between them; nothing where one is no name, or they are too many. */
export function parseRoles(text: string): readonly string[] | undefined {
  const roles = [...new Set(text.split(/[\s,]+/).filter((role) => role !== ""))];
  const areValid = roles.length <= MAX_ROLES && roles.every((role) => ROLE.test(role));
  return areValid ? roles : undefined;
}
