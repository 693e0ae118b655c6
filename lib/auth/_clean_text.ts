/** Most UTF-16 code units that are read: bounds the cost of cleaning. */
const MAX_INPUT_LENGTH = 4_096;

/**
 * Characters that are invisible, or that hide or reorder others; except the two in
 * {@linkcode JOINERS}.
 */
const HIDDEN = new RegExp(
  "(?![\\u200d\\ufe0f])[" +
    "\\p{C}\\p{Default_Ignorable_Code_Point}" +
    // Visible by category, but blank in every font.
    "\\u2800\\ufffc\\u{13441}\\u{13442}\\u{16fe4}\\u{1d159}" +
    "]",
  "gu",
);

/** Marks without a letter. */
const LOOSE_MARKS = /(?<=^| )\p{M}+/gu;

/** More marks on one letter than any script uses: UTS #39, section 5.4, allows four. */
const EXCESSIVE_MARKS = /([\p{Mn}\p{Me}]{4})[\p{Mn}\p{Me}]+/gu;

/**
 * A joiner between two emoji or after the virama of an Indic script, and the selector after an
 * emoji, change the rendering and are kept. All others are invisible and are removed.
 */
const JOINERS = new RegExp(
  "((?<=\\p{ExtPict}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d(?=\\p{ExtPict})" +
    "|(?<=[\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0c4d\\u0ccd\\u0d4d\\u0dca])\\u200d(?=\\p{L})" +
    "|(?<=\\p{ExtPict})\\ufe0f)" +
    "|[\\u200d\\ufe0f]",
  "gu",
);

/**
 * Cleans `text` for display to others: one line of at most `maxLength` code points in NFC, without
 * invisible characters. Returns an empty string if nothing is left.
 *
 * Removes control, format and bidirectional characters, default-ignorable and blank ones, private
 * and unassigned code points, lone surrogates, marks without a letter, and every mark of a letter
 * after its fourth. Spaces of every kind become single spaces.
 */
export function cleanText(text: string, maxLength: number): string {
  const visible = text.slice(0, MAX_INPUT_LENGTH)
    .replace(/\s+/gu, " ")
    .replace(HIDDEN, "")
    .replace(JOINERS, "$1")
    .normalize("NFC")
    .replace(LOOSE_MARKS, "")
    .replace(EXCESSIVE_MARKS, "$1");
  const cut = [...visible].slice(0, maxLength).join("");
  // Truncation may leave a joiner at the end.
  return cut.replace(JOINERS, "$1").replace(/ +/g, " ").trim();
}
