import { pinned } from "./servers/cores.ts";
import type { Lab } from "./lab.ts";
import type { Contestant, Measure } from "./question.ts";

/**
 * Returns a contestant for a program of `peers/` that measures itself and prints one line of JSON:
 * `{ "value": 1.5 }`.
 */
export function scriptContestant(
  lab: Lab,
  name: string,
  program: string,
  args: readonly string[],
): Contestant {
  const script = `${lab.root}bench/peers/${program}`;
  const command = [Deno.execPath(), "run", "-A", "--no-check", script, ...args];
  return { name, isSluice: true, measure: () => measure(lab, command) };
}

async function measure(lab: Lab, command: readonly string[]): Promise<Measure> {
  const [first, ...args] = pinned("server", command);
  const { success, stdout } = await new Deno.Command(first!, {
    args,
    cwd: lab.root,
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("its program ended with an error");
  return JSON.parse(new TextDecoder().decode(stdout));
}
