import { randomInt } from "node:crypto";

/** No vowels, so that no words come out, and nothing that looks like something else. */
const ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";

/** Returns a new code for a user to type in: 34 random bits. */
export function createUserCode(): string {
  const letters = Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** Reads a code as people type it: small letters, spaces, without the dash. */
export function readUserCode(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const letters = text.toUpperCase().replace(/[^A-Z]/g, "");
  return letters.length === 8 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined;
}
