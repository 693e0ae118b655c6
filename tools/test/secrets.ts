/** A secret in a text. */
export interface FoundSecret {
  /** Description of the secret. */
  readonly kind: string;
  /** The line, without the secret. */
  readonly line: string;
}

/** Maximum length of a printed line, in characters. */
const MAX_SHOWN = 200;

/** Parameters whose values are secrets. */
const CREDENTIAL = "(?:code|code_verifier|client_secret|access_token|refresh_token|id_token)";

/**
 * Patterns of secrets: Sluice's own, and those of test doubles. A secret is never part of a longer word.
 */
const SHAPES: readonly (readonly [kind: string, shape: RegExp])[] = [
  ["a ticket", /sluice\.ticket\.[\w-]+(?:\.[\w-]*)*/g],
  ["a JWT", /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{16,}/g],
  ["a session token", /(?<![\w.-])[\w-]{16}\.[\w-]{43}(?:[\w-]{16})?(?![\w.-])/g],
  ["a token after Bearer", /(?<!\w)Bearer [\w.~+/-]{16,}=*/gi],
  ["a GitHub token", /(?<!\w)gh[oprsu]_[\w-]{20,}/g],
  ["a test double's secret", /(?<!\w)double-(?:secret|code)-[\w-]+/g],
  // A code in capitals is the code of a refusal.
  [
    "a credential in a query",
    new RegExp(`(?<![\\w-])${CREDENTIAL}=(?![A-Z_]+\\b)[\\w.~%-]{16,}`, "g"),
  ],
];

/** Finds possible secrets, line by line. */
export function findSecrets(text: string): FoundSecret[] {
  return text.split("\n").flatMap((line) => {
    const kinds = SHAPES.filter(([, shape]) => line.search(shape) >= 0).map(([kind]) => kind);
    return kinds.map((kind) => ({ kind, line: redacted(line) }));
  });
}

/** Throws if a text contains a possible secret. The error does not contain the secret. */
export function assertNoSecrets(text: string, whose: string): void {
  const found = findSecrets(text);
  if (found.length === 0) return;
  const lines = found.map(({ kind, line }) => `${kind}: ${line}`);
  throw new Error(`${whose} contains secrets:\n${lines.join("\n")}`);
}

function redacted(line: string): string {
  const clean = SHAPES.reduce((text, [kind, shape]) => text.replace(shape, `[${kind}]`), line);
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean;
}
