import { V8_FLAGS } from "../../../app/process/v8_flags.ts";
import type { Lab } from "../lab.ts";
import type { ServerSpec } from "./server_process.ts";

const BUILD_TIMEOUT_MS = 180_000;

const PLENTY = "1000000";

/** Builds the app. */
export async function buildApp(lab: Lab): Promise<void> {
  lab.note("Building the app");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "dev.ts", "build"],
    cwd: lab.root,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(BUILD_TIMEOUT_MS),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Starts the app as in production, with an empty database and raised limits. */
export async function appServer(lab: Lab): Promise<ServerSpec> {
  const folder = await Deno.makeTempDir({ dir: lab.scratch, prefix: "app-" });
  return {
    command: [Deno.execPath(), "run", "-A", V8_FLAGS, "dev.ts", "serve"],
    cwd: lab.root,
    listening: /listens on http:\/\/127\.0\.0\.1:(\d+)\n/,
    env: {
      PORT: "0",
      HOST: "127.0.0.1",
      DEV_SIGN_IN: "on",
      DENO_KV_PATH: `${folder}/kv.sqlite3`,
      MESSAGES_PER_SECOND: PLENTY,
      MESSAGE_BURST: PLENTY,
      SOCKETS_PER_USER: PLENTY,
      SOCKETS_PER_ADDRESS: PLENTY,
      LOG_LEVEL: "error",
    },
  };
}
