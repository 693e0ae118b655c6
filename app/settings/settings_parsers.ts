/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Thrown for a wrong setting. Its message is one sentence for the operator. */
export class SettingError extends Error {
  override readonly name = "SettingError";
  readonly variable: string;

  constructor(variable: string, problem: string) {
    super(`${variable} ${problem}.`);
    this.variable = variable;
  }
}

/** Returns a variable; an empty one counts as unset. */
export function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

/** Reads a whole number. */
export function integer(
  env: Environment,
  name: string,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  throw wrong(name, value, `a whole number from ${min} to ${max}`);
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Longest accepted duration, in days. */
const MAX_DAYS = 3_650;

/** Reads a duration such as `500ms`, `30s`, `10m`, `12h` or `7d`, in milliseconds: ten years at most. */
export function duration(env: Environment, name: string): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const [, number, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value) ?? [];
  const ms = Number(number) * (UNITS[unit ?? ""] ?? NaN);
  if (ms >= 1 && ms <= MAX_DAYS * UNITS.d!) return ms;
  const range = `up to ${MAX_DAYS}d`;
  throw wrong(name, value, `a duration such as 500ms, 30s, 10m, 12h or 7d, ${range}`);
}

/** Reads a switch: `on`, `true`, `1`, or `off`, `false`, `0`. */
export function toggle(env: Environment, name: string): boolean | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  if (["on", "true", "1"].includes(value.toLowerCase())) return true;
  if (["off", "false", "0"].includes(value.toLowerCase())) return false;
  throw wrong(name, value, "on or off");
}

/** Reads one of several words. */
export function choice<const T extends string>(
  env: Environment,
  name: string,
  accepted: readonly T[],
): T | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const found = accepted.find((word) => word === value);
  if (found !== undefined) return found;
  throw wrong(name, value, accepted.join(", "));
}

/** Reads words separated by commas. */
export function list(env: Environment, name: string): readonly string[] {
  const words = (text(env, name) ?? "").split(",").map((word) => word.trim());
  return words.filter((word) => word !== "");
}

/**
 * Reads an http or https URL: of a site, or of a resource with `path`. Trailing slashes are
 * removed, unless `asGiven` is set.
 */
export function publicUrl(
  env: Environment,
  name: string,
  { path = false, asGiven = false }: { path?: boolean; asGiven?: boolean } = {},
): string | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  const isPlain = url?.username === "" && url.password === "" && url.search === "" &&
    url.hash === "";
  if (isWeb && isPlain && (path || url.pathname === "/")) {
    return asGiven ? value : value.replace(/\/+$/, "");
  }
  const what = path
    ? "an https:// address"
    : "an address such as https://example.com, without a path";
  throw wrong(name, value, what);
}

/** Returns the error of a setting with a wrong value. */
export function wrong(name: string, value: string, accepted: string): SettingError {
  return new SettingError(name, `is ${quoted(value)}, but accepts ${accepted}`);
}

/**
 * Returns a value for an error message, shortened.
 *
 * *Security*: what stands before an `@` is left out, because it may be a password.
 */
export function quoted(value: string): string {
  const shown = value.replace(/^([a-z][a-z+.-]*:(?:\/\/)?)?.*@/is, "$1…@");
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 80)}…` : shown);
}
