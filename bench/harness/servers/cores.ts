import { findProgram } from "../../../tools/provide/programs.ts";

/** A process's role: the server gets the first processor, the load the second, others the rest. */
export type Role = "server" | "load" | "other";

const cores = readCores();

/** Returns a command pinned to its processor; unchanged if there is only one processor. */
export function pinned(role: Role, command: readonly string[], turn = 0): readonly string[] {
  const taskset = findProgram("taskset");
  if (taskset === undefined || cores.length < 2) return command;
  return [taskset, "-c", String(coreFor(role, turn)), ...command];
}

/** Describes how the processors are shared, for the results. */
export function describePinning(): string {
  if (cores.length < 2) return "server and load share the one processor";
  if (findProgram("taskset") === undefined) return "not pinned: there is no taskset";
  return "server pinned to one processor, load to another";
}

/** With few processors, further servers share the first one, and other processes share the load's. */
function coreFor(role: Role, turn: number): number {
  const spare = cores.slice(2);
  if (role === "load") return cores[1]!;
  if (role === "other") return spare.at(-1) ?? cores[1]!;
  return turn === 0 ? cores[0]! : spare[turn - 1] ?? cores[0]!;
}

/** Reads the processors that this process may use, such as `0-3,8`, from its status. */
function readCores(): number[] {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    const [, list = "0"] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status) ?? [];
    return list.split(",").flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
  } catch {
    return [0];
  }
}
