import { MAX_SUBJECT_LENGTH, type Profile } from "./user.ts";

/** Refuses a profile that names nobody. */
export function checkIdentity(profile: Profile): void {
  for (const part of [profile.provider, profile.subject]) {
    if (part.length === 0 || part.length > MAX_SUBJECT_LENGTH) {
      throw new RangeError(
        `Cannot save a user: provider and subject have 1 to ${MAX_SUBJECT_LENGTH} characters`,
      );
    }
  }
}
