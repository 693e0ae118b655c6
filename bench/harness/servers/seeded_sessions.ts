import type { Lab } from "../lab.ts";

/** A database with signed-in users, and their cookies. */
export interface SeededSessions {
  readonly folder: string;
  /** A file with one cookie per line. */
  readonly cookies: string;
}

/**
 * Creates sessions with the toolkit of the tree, once per run and tree, in `kv.sqlite3` of the folder
 * or in the database at `address`; takes seconds.
 */
export async function seedSessions(
  lab: Lab,
  count: number,
  address?: string,
): Promise<SeededSessions> {
  const folder = await Deno.makeTempDir({ dir: lab.scratch, prefix: "sessions-" });
  const args = [folder, String(count), ...(address === undefined ? [] : [address])];
  lab.note(`Making ${count.toLocaleString("en")} sessions`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/peers/seed_sessions.ts", ...args],
    cwd: lab.root,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { folder, cookies: `${folder}/cookies.txt` };
}
