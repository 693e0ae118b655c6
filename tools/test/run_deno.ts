import { setTimeout as pause } from "node:timers/promises";
import { ProcessGroup } from "./process_group.ts";
import type { FoundSecret } from "./secrets.ts";
import { watchOutput } from "./watch_output.ts";

/** How long the output is read after the end of a `deno`, in milliseconds: a process that left its group may hold it open. */
const OUTPUT_MS = 2_000;

const NEWLINE = 10;

/** How a `deno` went. */
export interface Run {
  readonly success: boolean;
  /** Whether it was ended because it took longer than it may. */
  readonly isLate: boolean;
  /** What looked like secrets in what it printed. */
  readonly secrets: readonly FoundSecret[];
}

/** How `deno` is run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether what runs beside it comes first. */
  readonly isPatient?: boolean;
  /** Whether its output is printed in one piece, at its end. */
  readonly isHeld?: boolean;
  /** How long it may take, in milliseconds: then it is ended with every process that it started. @default {480_000} */
  readonly limitMs?: number;
}

/** Runs `deno` with its output going to the terminal in whole lines, and looks through that for secrets. */
export async function deno(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { env = {}, isPatient = false, isHeld = false, limitMs = 480_000 } = options;
  const colours: Record<string, string> = Deno.stdout.isTerminal()
    ? { FORCE_COLOR: "1" }
    : { NO_COLOR: "1" };
  const before = isPatient && Deno.build.os !== "windows" ? ["nice", "-n", "5"] : [];
  const [program, ...rest] = [...before, Deno.execPath(), ...args];
  const group = new ProcessGroup(program!, {
    args: rest,
    env: { ...colours, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { child } = group;
  const secrets: FoundSecret[] = [];
  const held: [to: typeof Deno.stdout, lines: Uint8Array][] = [];
  const pass = (to: typeof Deno.stdout) => (lines: Uint8Array) => {
    // What was ended may leave a line without its end.
    const whole = lines.at(-1) === NEWLINE ? lines : Uint8Array.from([...lines, NEWLINE]);
    return isHeld ? void held.push([to, whole]) : writeAll(to, whole);
  };
  const output = Promise.all([
    watchOutput(child.stdout, pass(Deno.stdout), secrets),
    watchOutput(child.stderr, pass(Deno.stderr), secrets),
  ]);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void group.end();
  }, limitMs);
  const { success } = await child.status;
  clearTimeout(timer);
  await group.end();
  await within(OUTPUT_MS, output);
  for (const [to, lines] of held) await writeAll(to, lines);
  return { success: success && !isLate, isLate, secrets };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const leaving = new AbortController();
  const late = pause(ms, undefined, { signal: leaving.signal }).catch(() => {});
  await Promise.race([work, late]);
  leaving.abort();
}

async function writeAll(to: typeof Deno.stdout, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
}
