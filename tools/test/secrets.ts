/** A secret in a text. */
export interface FoundSecret {
  /** What it is. */
  readonly kind: string;
  /** The line in which it is, without it. */
  readonly line: string;
}

/** Longest line that is shown, in characters. */
const MAX_SHOWN = 200;

/** Parameters whose values are secrets. */
const CREDENTIAL = "(?:code|code_verifier|client_secret|access_token|refresh_token|id_token)";

/**
 * What secrets look like, those of this software and those of the doubles that tests use; none of
 * them is part of a longer word.
 */
const SHAPES: readonly (readonly [kind: string, shape: RegExp])[] = [
  ["a ticket", /sluice\.ticket\.[\w-]+(?:\.[\w-]*)*/g],
  ["a JWT", /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{16,}/g],
  ["a session token", /(?<![\w.-])[\w-]{16}\.[\w-]{43}(?:[\w-]{16})?(?![\w.-])/g],
  ["a token after Bearer", /(?<!\w)Bearer [\w.~+/-]{16,}=*/gi],
  ["a token of GitHub", /(?<!\w)gh[oprsu]_[\w-]{20,}/g],
  ["a secret of a double", /(?<!\w)double-(?:secret|code)-[\w-]+/g],
  // A code that is all capitals is that of a refusal.
  [
    "a credential in a query",
    new RegExp(`(?<![\\w-])${CREDENTIAL}=(?![A-Z_]+\\b)[\\w.~%-]{16,}`, "g"),
  ],
];

/** Finds what looks like a secret, line by line. */
export function findSecrets(text: string): FoundSecret[] {
  return text.split("\n").flatMap((line) => {
    const kinds = SHAPES.filter(([, shape]) => line.search(shape) >= 0).map(([kind]) => kind);
    return kinds.map((kind) => ({ kind, line: redacted(line) }));
  });
}

/** Throws where a text holds what looks like a secret, and does not repeat it. */
export function assertNoSecrets(text: string, whose: string): void {
  const found = findSecrets(text);
  if (found.length === 0) return;
  const lines = found.map(({ kind, line }) => `${kind}: ${line}`);
  throw new Error(`${whose} holds secrets:\n${lines.join("\n")}`);
}

function redacted(line: string): string {
  const clean = SHAPES.reduce((text, [kind, shape]) => text.replace(shape, `[${kind}]`), line);
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean;
}
