/** Most roles of one user. */
const MAX_ROLES = 20;

/** The syntax of a role name. */
export const ROLE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/;

/**
 * Parses roles separated by spaces or commas; undefined if {@linkcode rolesProblem} finds a
 * problem.
 */
export function parseRoles(text: string): readonly string[] | undefined {
  return rolesProblem(text) === undefined ? splitRoles(text) : undefined;
}

/** Returns the problem with a list of roles, or undefined. */
export function rolesProblem(text: string): string | undefined {
  const roles = splitRoles(text);
  const invalid = roles.find((role) => !ROLE.test(role));
  if (invalid !== undefined) return `"${invalid}" is not a valid role.`;
  return roles.length > MAX_ROLES ? `A user can have ${MAX_ROLES} roles at most.` : undefined;
}

function splitRoles(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((role) => role !== ""))];
}
