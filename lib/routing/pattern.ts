/**
 * The kinds of path parameters besides plain text.
 *
 * @internal
 */
export interface Converters {
  /** Up to 15 digits, converted to a number. */
  int: number;
  /** Letters, digits, `-` and `_`. */
  slug: string;
  /** A UUID in lower case. */
  uuid: string;
}

/**
 * The parameters of a path pattern by name: `"/rooms/:room/:page{int}"` has a string and a number.
 *
 * @internal
 */
export type PathParams<P extends string> = P extends `${infer Head}/${infer Rest}`
  ? PathParams<Head> & PathParams<Rest>
  : P extends `:${infer Name}{${infer Kind}}`
    ? { readonly [K in Name]: Kind extends keyof Converters ? Converters[Kind] : never }
  : P extends `:${infer Name}(${string}` ? { readonly [K in Name]: string }
  : P extends `:${infer Name}` ? { readonly [K in Name]: string }
  : unknown;

/** A compiled path pattern: the only path that it matches, or an expression. */
export type PathPattern = { readonly only: string } | {
  readonly only?: undefined;
  readonly expression: RegExp;
  /** The parameters, in the order of the groups of the expression. */
  readonly params: readonly PathParam[];
  /** Whether the last group is the rest of the path, for a nested router. */
  readonly isPrefix: boolean;
};

/** A parameter of a path pattern. */
interface PathParam {
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
 * Compiles a path pattern to a regular expression, unless it has no parameters.
 *
 * A pattern is a path whose segments are text, `:name` (anything but `/`), `:name{int}`,
 * `:name{slug}`, `:name{uuid}` or `:name(expression)`. A final `*` segment leaves the rest of the path
 * to a nested router. Parameters are percent-decoded; a path that cannot be decoded does not match.
 *
 * @throws {TypeError} The pattern does not start with `/`, or a segment is malformed.
 */
export function compilePattern(pattern: string): PathPattern {
  if (!pattern.startsWith("/")) throw mistake(pattern, 'it does not begin with "/"');
  const params: PathParam[] = [];
  const parts = splitSegments(pattern.slice(1));
  const isPrefix = parts.at(-1) === "*";
  if (isPrefix) parts.pop();
  if (!isPrefix && parts.every(isText)) return { only: pattern };
  const source = parts.map((part) => `/${segmentSource(part, pattern, params)}`).join("");
  const expression = new RegExp(`^${source}${isPrefix ? "(/.*)?" : ""}$`);
  return { expression, params, isPrefix };
}

/** Returns whether a segment is plain text. */
function isText(segment: string): boolean {
  return !segment.startsWith(":") && !/[*{}()]/.test(segment);
}

/** Splits at `/` outside the parentheses of an expression. */
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

function segmentSource(segment: string, pattern: string, params: PathParam[]): string {
  if (!segment.startsWith(":")) {
    if (/[*{}()]/.test(segment)) throw mistake(pattern, `"${segment}" is not a valid segment`);
    return segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }
  const [, name, kind, expression] = PARAM.exec(segment) ?? [];
  if (name === undefined) throw mistake(pattern, `"${segment}" is not a valid parameter`);
  if (params.some((param) => param.name === name)) {
    throw mistake(pattern, `:${name} occurs twice`);
  }
  if (kind !== undefined && !Object.hasOwn(KINDS, kind)) {
    throw mistake(pattern, `{${kind}} is not one of ${Object.keys(KINDS).join(", ")}`);
  }
  params.push({ name, isNumber: kind === "int" });
  if (expression !== undefined) return `(${uncaptured(expression)})`;
  return `(${kind === undefined ? "[^/]+" : KINDS[kind as keyof Converters]})`;
}

/** Makes the groups of an expression non-capturing, so that parameters keep their indexes. */
function uncaptured(expression: string): string {
  return expression.replace(/(\\.|\[(?:\\.|[^\]])*\])|\((?!\?)/g, (_all, kept) => kept ?? "(?:");
}

function mistake(pattern: string, why: string): TypeError {
  return new TypeError(`Cannot use the path pattern "${pattern}": ${why}`);
}
