import { FrameError, type Issue } from "./errors.ts";

/**
 * A validator of any library that implements the Standard Schema specification, version 1
 * (https://standardschema.dev): valibot, zod, arktype and others.
 */
export interface Schema<Input = unknown, Output = Input> {
  /** The validator, as the specification names it. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/**
 * The result of a {@linkcode Schema}: a value, or issues.
 *
 * @internal
 */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
    readonly issues: readonly {
      readonly message: string;
      readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
    }[];
  };

/**
 * Validates the `data` of a frame and returns the output of its schema: synchronously if the schema is
 * synchronous, otherwise as a promise.
 *
 * @throws {FrameError} `INVALID_MESSAGE`, with up to 16 issues.
 */
export function parseData<Output>(
  schema: Schema<unknown, Output>,
  data: unknown,
  id?: string,
): Output | Promise<Output> {
  const result = schema["~standard"].validate(data);
  return result instanceof Promise ? result.then((late) => valueOf(late, id)) : valueOf(result, id);
}

const MAX_ISSUES = 16;

function valueOf<Output>(result: SchemaResult<Output>, id: string | undefined): Output {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.slice(0, MAX_ISSUES).map(toIssue);
  throw new FrameError("INVALID_MESSAGE", "The data does not fit the message's type", {
    issues,
    id,
  });
}

function toIssue(issue: NonNullable<SchemaResult<unknown>["issues"]>[number]): Issue {
  const keys = (issue.path ?? []).map((part) => typeof part === "object" ? part.key : part);
  return { path: ["data", ...keys.map(String)].join("."), message: issue.message };
}
