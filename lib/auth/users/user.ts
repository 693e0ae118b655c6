import { randomId } from "../../sessions/tokens/secrets.ts";
import { cleanText } from "../_clean_text.ts";
import { checkIdentity } from "../_identity.ts";

/** A user. */
export interface User {
  /** Our own id: random, and never a provider's id. Not a secret. */
  readonly id: string;
  /** The id of the user's provider: `github`, `dev`, … */
  readonly provider: string;
  /** The provider's permanent id of the user. Together with `provider`, it is the identity. */
  readonly subject: string;
  /**
   * The user's login at the provider.
   *
   * *Security*: for display only. It may change, may pass to another user, and need not be unique.
   */
  readonly login: string;
  /** The user's name; the login if the provider gives no name. */
  readonly name: string;
  /** An `https:` URL of a picture, or empty. */
  readonly avatarUrl: string;
  /** Role names, which the application defines. */
  readonly roles?: readonly string[] | undefined;
  /** When the user was banned, in milliseconds since the epoch; undefined if they are not. */
  readonly bannedAt?: number | undefined;
  /** First sign-in, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** Last sign-in, in milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** The fields of a user that others may see. */
export interface PublicUser {
  /** Our own id of the user. */
  readonly id: string;
  /** The login at the provider; for display only. */
  readonly login: string;
  /** The name to display. */
  readonly name: string;
  /** An `https:` URL, or empty. */
  readonly avatarUrl: string;
}

/**
 * Returns the public fields of a user.
 *
 * @example
 * ```ts
 * import { MemoryUserStore } from "@sluice/sluice";
 * import { toPublicUser } from "@sluice/sluice/auth";
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

/** A user's profile at a provider. */
export interface ProviderProfile {
  /** The id of the provider. */
  readonly provider: string;
  /** The provider's permanent id of the user; see {@linkcode subjectAt}. */
  readonly subject: string;
  /** Undefined if the provider does not tell it: a known user then keeps login, name and picture. */
  readonly login: string | undefined;
  /** The name to display. */
  readonly name: string | undefined;
  /** URL of a picture; dropped unless it is `https:`. */
  readonly avatarUrl: string | undefined;
}

const MAX_LOGIN_LENGTH = 64;
const MAX_NAME_LENGTH = 100;
const MAX_AVATAR_URL_LENGTH = 2_048;

type Shown = Pick<User, "login" | "name" | "avatarUrl">;

/**
 * Returns the user of a sign-in: a new one, or `known` with login, name and picture of the profile. A
 * banned user is returned unchanged, as they cannot sign in. For a `UserStore` of your own.
 *
 * @param now The time of the sign-in, in milliseconds since the epoch.
 * @throws {RangeError} The provider or the subject is empty, too long, or not valid Unicode.
 *
 * @example
 * ```ts
 * import { applyProfile } from "@sluice/sluice/auth";
 * import assert from "node:assert/strict";
 *
 * const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada", avatarUrl: undefined };
 * const user = applyProfile(undefined, profile, Date.now());
 * const renamed = applyProfile(user, { ...profile, name: "Ada King" }, Date.now());
 * assert.deepEqual([renamed.id, renamed.name], [user.id, "Ada King"]);
 * ```
 */
export function applyProfile(
  known: User | undefined,
  profile: ProviderProfile,
  now: number,
): User {
  checkIdentity(profile);
  if (known !== undefined) {
    if (known.bannedAt !== undefined) return known;
    return { ...known, ...shownOf(profile, known), updatedAt: now };
  }
  const { provider, subject } = profile;
  const shown = shownOf(profile, { login: "somebody", name: "somebody", avatarUrl: "" });
  return { id: randomId(), provider, subject, ...shown, createdAt: now, updatedAt: now };
}

function shownOf(profile: ProviderProfile, known: Shown): Shown {
  const login = cleanText(profile.login ?? "", MAX_LOGIN_LENGTH);
  if (login === "") return { login: known.login, name: known.name, avatarUrl: known.avatarUrl };
  return {
    login,
    name: cleanText(profile.name ?? "", MAX_NAME_LENGTH) || login,
    avatarUrl: safeAvatarUrl(profile.avatarUrl),
  };
}

/**
 * Returns an avatar's URL, percent-encoded, if it is `https:`, without credentials and at most
 * 2,048 bytes long; else an empty string.
 *
 * *Security*: keeps `javascript:`, `data:` and URLs of this site out of other users' pages.
 */
function safeAvatarUrl(address: string | undefined): string {
  const url = URL.parse(address ?? "");
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return "";
  return url.href.length <= MAX_AVATAR_URL_LENGTH ? url.href : "";
}
