import { randomId } from "../sessions/mod.ts";
import { cleanText } from "./_clean_text.ts";

/** A person, as this software knows them. */
export interface User {
  /** Our own name for the person: random, and never that of a provider. Not a secret. */
  readonly id: string;
  /** Who vouches for the person: `github`, `dev`, … */
  readonly provider: string;
  /** The provider's own name for the person, which never changes. With `provider` it is the identity. */
  readonly subject: string;
  /**
   * What the person is called at the provider.
   *
   * *Security*: for display only. It may change, may go to somebody else, and need not be unique.
   */
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
  /** The provider's own name for the person, which never changes; see {@linkcode subjectAt}. */
  readonly subject: string;
  /** Undefined if the provider does not say it: a known person keeps what is shown of them. */
  readonly login: string | undefined;
  readonly name: string | undefined;
  readonly avatarUrl: string | undefined;
}

const MAX_LOGIN_LENGTH = 64;
const MAX_NAME_LENGTH = 100;
const MAX_AVATAR_URL_LENGTH = 2_048;

type Shown = Pick<User, "login" | "name" | "avatarUrl">;

/** Returns the user of a first sign-in. */
export function createUser(profile: Profile, now: number): User {
  const { provider, subject } = profile;
  const shown = shownOf(profile, { login: "somebody", name: "somebody", avatarUrl: "" });
  return { id: randomId(), provider, subject, ...shown, createdAt: now, updatedAt: now };
}

/** Returns the user as their provider describes them now; a banned one, who cannot sign in, as before. */
export function refreshUser(user: User, profile: Profile, now: number): User {
  if (user.bannedAt !== undefined) return user;
  return { ...user, ...shownOf(profile, user), updatedAt: now };
}

function shownOf(profile: Profile, known: Shown): Shown {
  const login = cleanText(profile.login ?? "", MAX_LOGIN_LENGTH);
  if (login === "") return { login: known.login, name: known.name, avatarUrl: known.avatarUrl };
  return {
    login,
    name: cleanText(profile.name ?? "", MAX_NAME_LENGTH) || login,
    avatarUrl: safeAvatarUrl(profile.avatarUrl),
  };
}

/**
 * Returns an avatar's address, percent-encoded, if it is `https:`, without credentials and at most
 * 2,048 bytes long; else an empty string.
 *
 * *Security*: keeps `javascript:`, `data:` and addresses of this site out of other people's pages.
 */
function safeAvatarUrl(address: string | undefined): string {
  const url = URL.parse(address ?? "");
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return "";
  return url.href.length <= MAX_AVATAR_URL_LENGTH ? url.href : "";
}
