import { parseArgs } from "node:util";

/** A runtime that projects are created for. */
export type Runtime = "deno" | "node" | "bun";

const RUNTIMES: readonly string[] = ["deno", "node", "bun"] satisfies Runtime[];

/** Where a project gets the package from: a tarball, or a version of the registry. */
export type PackageSource = { readonly tarball: string } | { readonly version: string };

/** What the user asked for. */
export interface Wish {
  readonly folder: string;
  readonly runtime: Runtime;
  /** @default {the one of the program} */
  readonly source?: PackageSource;
}

/** A project that cannot be created, with a message for the user. */
export class CreateError extends Error {
  override readonly name = "CreateError";
}

/** Returns whether the user asks how the command is called. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes("--help") || args.includes("-h");
}

/**
 * Reads the arguments of the command.
 *
 * @param usage How the command is called, for messages.
 * @throws {CreateError} An argument is wrong.
 */
export function readArguments(args: readonly string[], usage: string): Wish {
  const { values, positionals } = parse(args, usage);
  const { runtime = "deno", package: wanted } = values;
  const [folder, ...rest] = positionals;
  if (folder === undefined || folder === "" || rest.length > 0) {
    throw new CreateError(`Expected one folder, got ${positionals.length}.\n${usage}`);
  }
  if (!isRuntime(runtime)) {
    throw new CreateError(`--runtime is "${runtime}", but accepts deno, node or bun.`);
  }
  return { folder, runtime, ...wanted !== undefined && { source: sourceOf(wanted) } };
}

function parse(args: readonly string[], usage: string) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { runtime: { type: "string" }, package: { type: "string" } },
    });
  } catch (error) {
    // The rest, about arguments that start with "-", has an unbalanced quotation mark.
    const [message] = String(error instanceof Error ? error.message : error).split(". To specify");
    throw new CreateError(`${message}.\n${usage}`);
  }
}

function isRuntime(text: string): text is Runtime {
  return RUNTIMES.includes(text);
}

function sourceOf(text: string): PackageSource {
  if (/\.t(?:ar\.)?gz$/.test(text)) return { tarball: text };
  if (/^[\w.^~<>=*+-]+$/.test(text)) return { version: text };
  throw new CreateError(
    `--package is "${text}", but accepts the path of a .tgz file or a version.`,
  );
}
