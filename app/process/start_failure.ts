import process from "node:process";
import { createLog } from "@sluice/sluice/server";
import { SettingError } from "../settings/settings.ts";

/** Ends the process with status 1 and one sentence; as a log line if the log is JSON. */
export function failStart(sentence: string): never {
  if (process.env.LOG_FORMAT?.trim() === "json") createLog({ format: "json" }).error(sentence);
  else console.error(sentence);
  process.exit(1);
}

/** Ends the process with status 1 and one sentence if the error is a `SettingError`; else throws it. */
export function failAtWrongSetting(error: unknown): never {
  if (error instanceof SettingError) failStart(error.message);
  throw error;
}
