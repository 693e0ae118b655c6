import { findProgram, run } from "../../../tools/provide/programs.ts";
import { describePinning } from "./cores.ts";
import { VERSIONS } from "../peers.ts";
import type { Machine } from "../report/result.ts";

/** Describes this machine. */
export function describeMachine(): Machine {
  const { total } = Deno.systemMemoryInfo();
  return {
    processor: readProcessor(),
    processors: navigator.hardwareConcurrency,
    memory: Math.round(total / 2 ** 30),
    system: `${Deno.build.os} ${Deno.osRelease()}`,
    pinning: describePinning(),
    versions: { deno: Deno.version.deno, v8: Deno.version.v8, ...VERSIONS },
  };
}

/** Returns the commit of a tree, with `+` if files have changed since; `unknown` without git. */
export async function describeRevision(root: string): Promise<string> {
  const git = findProgram("git");
  if (git === undefined) return "unknown";
  const options = { timeoutMs: 10_000 };
  const { success, stdout } = await run(git, ["-C", root, "rev-parse", "--short", "HEAD"], options);
  if (!success) return "unknown";
  const changed = await run(git, ["-C", root, "status", "--porcelain", "--", "lib"], options);
  return stdout.trim() + (changed.stdout.trim() === "" ? "" : "+");
}

function readProcessor(): string {
  try {
    const text = Deno.readTextFileSync("/proc/cpuinfo");
    return /^model name\s*:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? Deno.build.arch;
  } catch {
    return Deno.build.arch;
  }
}
