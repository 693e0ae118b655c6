import type { Lab } from "./lab.ts";

/** A database with signed-in people, and the cookies of their browsers. */
export interface SeededSessions {
  readonly folder: string;
  /** A file with one cookie a line. */
  readonly cookies: string;
}

/** Has the toolkit of the tree make sessions; takes seconds, once for each run and tree. */
export async function seedSessions(lab: Lab, count: number): Promise<SeededSessions> {
  const folder = await Deno.makeTempDir({ dir: lab.scratch, prefix: "sessions-" });
  lab.note(`Making ${count.toLocaleString("en")} sessions`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/peers/seed_sessions.ts", folder, String(count)],
    cwd: lab.root,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { folder, cookies: `${folder}/cookies.txt` };
}
