/** The kinds of parameter that a path can have beside plain text. */
export interface Converters {
  /** Digits, as a number; at most 15 of them. */
  int: number;
  /** Letters, digits, `-` and `_`. */
  slug: string;
  /** A UUID, in lower case. */
  uuid: string;
}

/** The parameters of a path pattern, by name: `"/rooms/:room/:page{int}"` has a string and a number. */
export type PathParams<P extends string> = P extends `${infer Head}/${infer Rest}`
  ? PathParam<Head> & PathParams<Rest>
  : PathParam<P>;

type PathParam<Part extends string> = Part extends `:${infer Name}{${infer Kind}}`
  ? { readonly [K in Name]: Kind extends keyof Converters ? Converters[Kind] : never }
  : Part extends `:${infer Name}(${string}` ? { readonly [K in Name]: string }
  : Part extends `:${infer Name}` ? { readonly [K in Name]: string }
  : unknown;

/** A compiled path pattern. */
export interface PathPattern {
  /** What a path holds, or undefined where it does not fit. */
  match(path: string): PathMatch | undefined;
  /** The one path that fits, where there is but one: it needs no `match()`. */
  readonly only?: string | undefined;
}

/** What a path holds. */
export interface PathMatch {
  readonly params: Readonly<Record<string, string | number>>;
  /** What follows the pattern, beginning with `/`; empty for a pattern without `/*`. */
  readonly rest: string;
}

interface Param {
  readonly name: string;
  readonly isNumber: boolean;
}

const KINDS: Readonly<Record<keyof Converters, string>> = {
  int: "\\d{1,15}",
  slug: "[A-Za-z0-9_-]+",
  uuid: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
};

const PARAM = /^:([A-Za-z_]\w*)(?:\{(\w+)\}|\((.+)\))?$/;

/**
 * Compiles a path pattern: into one regular expression, or into a comparison where it is all text.
 *
 * A pattern is a path whose segments are text, `:name` (anything but `/`), `:name{int}`,
 * `:name{slug}`, `:name{uuid}` or `:name(expression)`; a last segment `*` leaves the rest of the path
 * to a nested router. Parameters are percent-decoded; a path that does not decode does not fit.
 *
 * @throws {TypeError} The pattern does not begin with `/`, or a segment is none of these.
 */
export function compilePattern(pattern: string): PathPattern {
  if (!pattern.startsWith("/")) throw mistake(pattern, 'it does not begin with "/"');
  const params: Param[] = [];
  const parts = splitSegments(pattern.slice(1));
  const isPrefix = parts.at(-1) === "*";
  if (isPrefix) parts.pop();
  if (!isPrefix && parts.every(isText)) return onlyPath(pattern);
  const source = parts.map((part) => `/${segmentSource(part, pattern, params)}`).join("");
  const expression = new RegExp(`^${source}${isPrefix ? "(/.*)?" : ""}$`);
  return { match: (path) => matchPath(expression, params, isPrefix, path) };
}

/** Neither a parameter nor a mistake. */
function isText(segment: string): boolean {
  return !segment.startsWith(":") && !/[*{}()]/.test(segment);
}

function onlyPath(only: string): PathPattern {
  const match: PathMatch = { params: Object.freeze({}), rest: "" };
  return { only, match: (path) => path === only ? match : undefined };
}

function matchPath(
  expression: RegExp,
  params: readonly Param[],
  isPrefix: boolean,
  path: string,
): PathMatch | undefined {
  const found = expression.exec(path);
  if (found === null) return undefined;
  const values: Record<string, string | number> = {};
  for (let index = 0; index < params.length; index++) {
    const { name, isNumber } = params[index]!;
    const text = decode(found[index + 1]!);
    if (text === undefined) return undefined;
    values[name] = isNumber ? Number(text) : text;
  }
  return { params: values, rest: isPrefix ? found[params.length + 1] ?? "/" : "" };
}

/** Splits at `/`, but not inside the parentheses of an expression. */
function splitSegments(path: string): string[] {
  const segments = [""];
  let depth = 0;
  for (const character of path) {
    if (character === "(") depth++;
    if (character === ")") depth--;
    if (character === "/" && depth === 0) segments.push("");
    else segments[segments.length - 1] += character;
  }
  return segments;
}

function segmentSource(segment: string, pattern: string, params: Param[]): string {
  if (!segment.startsWith(":")) {
    if (/[*{}()]/.test(segment)) throw mistake(pattern, `"${segment}" is no segment`);
    return segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }
  const [, name, kind, expression] = PARAM.exec(segment) ?? [];
  if (name === undefined) throw mistake(pattern, `"${segment}" is no parameter`);
  if (params.some((param) => param.name === name)) {
    throw mistake(pattern, `:${name} is there twice`);
  }
  if (kind !== undefined && !Object.hasOwn(KINDS, kind)) {
    throw mistake(pattern, `{${kind}} is none of ${Object.keys(KINDS).join(", ")}`);
  }
  params.push({ name, isNumber: kind === "int" });
  if (expression !== undefined) return `(${uncaptured(expression)})`;
  return `(${kind === undefined ? "[^/]+" : KINDS[kind as keyof Converters]})`;
}

/** Makes the groups of an expression non-capturing, so that parameters keep their numbers. */
function uncaptured(expression: string): string {
  return expression.replace(/(\\.|\[(?:\\.|[^\]])*\])|\((?!\?)/g, (_all, kept) => kept ?? "(?:");
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function mistake(pattern: string, why: string): TypeError {
  return new TypeError(`Cannot use the path pattern "${pattern}": ${why}`);
}
