/** The Fresh that the app uses: Fresh from JSR, or the stand-in in `compat/fresh`. */
export type Fresh = "upstream" | "stand-in";

const LINKS = '  "links": ["./compat/fresh"],\n';
const BEFORE = '  "imports": {\n';

/** Returns whether a word is a {@linkcode Fresh}. */
export function isFresh(word: string): word is Fresh {
  return word === "upstream" || word === "stand-in";
}

/** Returns which Fresh the text of a `deno.json` selects. */
export function freshOf(config: string): Fresh {
  return config.includes(LINKS) ? "stand-in" : "upstream";
}

/**
 * Returns the text of a `deno.json` with another Fresh selected; the rest is unchanged.
 *
 * @throws {Error} The text has no `imports`, before which `links` would be inserted.
 */
export function withFresh(config: string, fresh: Fresh): string {
  const without = config.replace(LINKS, "");
  if (fresh === "upstream") return without;
  if (!without.includes(BEFORE)) throw new Error('Cannot add "links": deno.json has no "imports"');
  return without.replace(BEFORE, LINKS + BEFORE);
}
