/** An identity to sign in as during development. */
export interface DevUser {
  readonly login: string;
  readonly name: string;
}

/** The identities that the page offers. */
export const PEOPLE: readonly DevUser[] = [
  { login: "ada", name: "Ada Lovelace" },
  { login: "grace", name: "Grace Hopper" },
  { login: "linus", name: "Linus Torvalds" },
];

/** Longest login, in characters. */
export const MAX_LOGIN_LENGTH = 39;

/**
 * Normalises a typed login: lower case, 1 to 39 letters, digits and single hyphens; spaces and
 * underscores become hyphens. Returns undefined if the result is not valid.
 */
export function toLogin(text: string): string | undefined {
  if (text.length > 200) return undefined;
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
  const login = plain.replace(/[\s_-]+/g, "-").replace(/^-+|-+$/g, "");
  return login.length <= MAX_LOGIN_LENGTH && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(login)
    ? login
    : undefined;
}

/** Returns the identity of a login. */
export function devUserOf(login: string): DevUser {
  return PEOPLE.find((user) => user.login === login) ?? { login, name: nameOf(login) };
}

function nameOf(login: string): string {
  const words = login.split("-").filter((word) => word !== "");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ");
}
