import type { Log } from "@sluice/sluice/server";

/** The names of all settings. */
export const SETTING_NAMES: readonly string[] = [
  "ADMINS",
  "ALLOWED_ORIGINS",
  "AUDIT_RETENTION",
  "CHANNEL_KEYS",
  "CHANNEL_LAYER",
  "CHANNEL_PREFIX",
  "DATABASE_URL",
  "DENO_KV_PATH",
  "DEV_SIGN_IN",
  "DRAIN_SECONDS",
  "GITHUB_API_URL",
  "GITHUB_CLIENT_ID",
  "GITHUB_CLIENT_SECRET",
  "GITHUB_URL",
  "HANDSHAKES_PER_ADDRESS",
  "HISTORY_AGE",
  "HISTORY_MESSAGES",
  "HOST",
  "LOG_FORMAT",
  "LOG_LEVEL",
  "MAX_MESSAGE_BYTES",
  "MESSAGES_PER_SECOND",
  "MESSAGE_BURST",
  "METRICS_TOKEN",
  "OIDC_CLIENT_ID",
  "OIDC_CLIENT_SECRET",
  "OIDC_ISSUER",
  "OIDC_NAME",
  "PORT",
  "PUBLIC_URL",
  "REDIS_CA_FILE",
  "SEND_BUFFER_BYTES",
  "SESSIONS_PER_USER",
  "SESSION_IDLE_TTL",
  "SESSION_MAX_TTL",
  "SIGN_INS_PER_ADDRESS",
  "SOCKETS_PER_ADDRESS",
  "SOCKETS_PER_USER",
  "TRUST_PROXY",
];

/** Other software also uses variables with these prefixes. */
const OF_OTHERS = /^(?:GITHUB|OIDC|DENO|REDIS)_/;

/** A name that looks like a misspelt setting. */
export interface Misspelt {
  readonly name: string;
  /** The most similar setting. */
  readonly meant: string;
}

/**
 * Finds variables whose names look like misspelt settings: up to three letters are wrong, or words
 * are in the singular, joined, or reordered, or one of several words differs.
 */
export function findMisspelt(names: Iterable<string>): Misspelt[] {
  const known = new Set(SETTING_NAMES);
  return [...names].filter((name) => !known.has(name)).flatMap((name) => {
    const meant = mostLike(name);
    return meant === undefined ? [] : [{ name, meant }];
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Reports them in one log line, without their values. */
export function reportMisspelt(names: Iterable<string>, log: Log): void {
  const found = findMisspelt(names).map(({ name, meant }) => `${name} (${meant}?)`);
  if (found.length > 0) log.warn(`No setting has the name ${found.join(", ")}`);
}

function mostLike(name: string): string | undefined {
  // Hosts that link services set SLUICE_PORT themselves.
  const own = name.toUpperCase().replaceAll("-", "_").replace(/^SLUICE_(?=[A-Z]+_)/, "");
  const ranked = SETTING_NAMES.map((setting) => [distance(own, setting), setting] as const)
    .sort(([a], [b]) => a - b);
  return ranked.find(([letters, setting]) =>
    letters <= tolerance(setting) || hasWordsOf(own, setting)
  )?.[1];
}

/** Returns how many letters may be wrong: none in a short name, which easily becomes another word. */
function tolerance(setting: string): number {
  if (setting.length < 6) return 0;
  return Math.min(3, Math.floor(setting.length / 4));
}

function hasWordsOf(name: string, setting: string): boolean {
  const [words, wanted] = [wordsOf(name), wordsOf(setting)];
  if (wanted.length === 1) return false;
  if (isSame([...words].sort(), [...wanted].sort())) return true;
  if (words.join("") === wanted.join("")) return true;
  if (OF_OTHERS.test(setting) || wanted.length < 3 || words[0] !== wanted[0]) return false;
  // One of three or more words is missing or different.
  const common = wanted.filter((word) => words.includes(word)).length;
  return common === wanted.length - 1 && words.length <= wanted.length;
}

/** Returns the words of a name in the singular. */
function wordsOf(name: string): string[] {
  return name.split("_").map((word) => word.replace(/(?<=..)S$/, ""));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

/** Returns the number of missing, extra, wrong, or transposed letters. */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isExchanged) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
