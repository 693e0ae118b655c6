/** Most roles of one person. */
const MAX_ROLES = 20;

/** What a role may be called. */
export const ROLE = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,31}$/;

/** Reads roles separated by spaces or commas; undefined if {@linkcode rolesProblem} has something to say. */
export function parseRoles(text: string): readonly string[] | undefined {
  return rolesProblem(text) === undefined ? splitRoles(text) : undefined;
}

/** Says what is wrong with a list of roles; undefined if nothing is. */
export function rolesProblem(text: string): string | undefined {
  const roles = splitRoles(text);
  const invalid = roles.find((role) => !ROLE.test(role));
  if (invalid !== undefined) return `"${invalid}" is not a valid role.`;
  return roles.length > MAX_ROLES ? `A user can have ${MAX_ROLES} roles at most.` : undefined;
}

function splitRoles(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((role) => role !== ""))];
}
