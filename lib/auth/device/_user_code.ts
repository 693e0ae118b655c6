import { randomInt } from "node:crypto";

/** No vowels, so that codes spell no words, and no letters that look like digits. */
const ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";

/** Returns a new code for a user to type: 34 random bits. */
export function createUserCode(): string {
  const letters = Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** Parses a code as users type it: in lower case, with spaces, or without the hyphen. */
export function readUserCode(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const letters = text.toUpperCase().replace(/[^A-Z]/g, "");
  return letters.length === 8 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined;
}
