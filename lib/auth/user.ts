import { randomId } from "../sessions/mod.ts";

/** A person, as this software knows them. */
export interface User {
  /** Our own name for the person: random, and never that of a provider. Not a secret. */
  readonly id: string;
  /** Who vouches for the person: `github`, `dev`, … */
  readonly provider: string;
  /** The provider's own name for the person, which never changes. */
  readonly subject: string;
  /** What the person is called at the provider; may change, and may go to somebody else. */
  readonly login: string;
  /** The person's name, or the login where there is none. */
  readonly name: string;
  /** An `https:` address of a picture; empty where there is none. */
  readonly avatarUrl: string;
  /** What the person may do here, by names that the software which uses them gives. */
  readonly roles?: readonly string[] | undefined;
  /** Since when the person may not sign in, in milliseconds since the epoch. */
  readonly bannedAt?: number | undefined;
  /** First sign-in, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** Last sign-in, in milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** What others may know of a person. */
export interface PublicUser {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  /** Empty where there is none. */
  readonly avatarUrl: string;
}

/**
 * Returns what others may know of a person.
 *
 * @example
 * ```ts
 * import { MemoryUserStore, toPublicUser } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada", avatarUrl: undefined };
 * const user = await new MemoryUserStore().save(profile);
 * assert.deepEqual(Object.keys(toPublicUser(user)), ["id", "login", "name", "avatarUrl"]);
 * ```
 */
export function toPublicUser(user: User): PublicUser {
  return { id: user.id, login: user.login, name: user.name, avatarUrl: user.avatarUrl };
}

/** What a provider says of a person. */
export interface Profile {
  readonly provider: string;
  readonly subject: string;
  readonly login: string;
  readonly name: string | undefined;
  readonly avatarUrl: string | undefined;
}

/** Longest subject, in characters: that of an OpenID Connect `sub`. */
export const MAX_SUBJECT_LENGTH = 255;

const MAX_LOGIN_LENGTH = 64;
const MAX_NAME_LENGTH = 100;
const MAX_AVATAR_URL_LENGTH = 2_048;

/** Returns the user of a first sign-in. */
export function createUser(profile: Profile, now: number): User {
  const { provider, subject } = profile;
  return { id: randomId(), provider, subject, ...shown(profile), createdAt: now, updatedAt: now };
}

/** Returns the user as their provider describes them now. */
export function refreshUser(user: User, profile: Profile, now: number): User {
  return { ...user, ...shown(profile), updatedAt: now };
}

function shown(profile: Profile): Pick<User, "login" | "name" | "avatarUrl"> {
  const login = cleanText(profile.login, MAX_LOGIN_LENGTH) || "somebody";
  return {
    login,
    name: cleanText(profile.name ?? "", MAX_NAME_LENGTH) || login,
    avatarUrl: safeAvatarUrl(profile.avatarUrl),
  };
}

/**
 * Returns an avatar's address where it is `https:` and without credentials, else nothing.
 *
 * *Security*: keeps `javascript:`, `data:` and addresses of this site out of other people's pages.
 */
function safeAvatarUrl(address: string | undefined): string {
  if (!address || address.length > MAX_AVATAR_URL_LENGTH) return "";
  const url = URL.parse(address);
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return "";
  return url.href;
}

/**
 * Returns `text` in one line of at most `maxLength` characters, without control characters and
 * without those that hide or reorder text.
 */
export function cleanText(text: string, maxLength: number): string {
  const visible = text.replace(/\s+/gu, " ").replace(HIDDEN, "").trim();
  return [...visible.slice(0, maxLength * 2)].slice(0, maxLength).join("").trim();
}

// Control, bidirectional and zero-width characters, lone surrogates; a joiner stays (emoji use it).
const HIDDEN =
  /[\p{Cc}\p{Cs}\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu;
