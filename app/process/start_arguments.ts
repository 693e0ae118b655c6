import { parseArgs } from "node:util";
import { SettingError } from "../settings/settings_parsers.ts";
import { SHARED } from "./child_process.ts";

/** What the command line says. */
export interface StartArguments {
  /** `start`, `serve`, … @default {"dev"} */
  readonly command: string;
  /** Number of processes. @default {1} */
  readonly processes: number;
}

/**
 * Reads the arguments of the program.
 *
 * @throws {SettingError} An argument is unknown, or its value is wrong.
 */
export function readArguments(args: readonly string[]): StartArguments {
  const command = args[0] ?? "dev";
  const { tokens } = parseArgs({
    args: args.slice(1).filter((arg) => arg !== "--"),
    options: { processes: { type: "string" } },
    strict: false,
    tokens: true,
  });
  let processes = 1;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    const name = token.kind === "option" ? token.rawName : token.value;
    if (command !== "serve" || !["--processes", SHARED].includes(name)) {
      throw unknownArgument(name, command);
    }
    if (name === "--processes") processes = readCount(token.value ?? "");
  }
  return { command, processes };
}

function readCount(value: string): number {
  const count = Number(value);
  if (/^\d{1,3}$/.test(value) && count >= 1 && count <= 256) return count;
  throw new SettingError("--processes", `is ${JSON.stringify(value)}, but accepts 1 to 256`);
}

function unknownArgument(argument: string, command: string): SettingError {
  const accepted = command === "serve" ? "--processes N" : "no arguments";
  return new SettingError(JSON.stringify(argument), `is unknown: ${command} accepts ${accepted}`);
}
