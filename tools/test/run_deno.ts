import { setTimeout as pause } from "node:timers/promises";
import { ProcessGroup } from "./process_group.ts";
import type { FoundSecret } from "./secrets.ts";
import { watchOutput } from "./watch_output.ts";

/** How long to read output after `deno` exits, in milliseconds: a process outside the group may keep it open. */
const OUTPUT_MS = 2_000;

const NEWLINE = 10;

/** The result of running `deno`. */
export interface Run {
  readonly success: boolean;
  /** Whether it was stopped because it exceeded its limit. */
  readonly isLate: boolean;
  /** Possible secrets in its output. */
  readonly secrets: readonly FoundSecret[];
}

/** Options for {@linkcode deno}. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether to run with a lower priority. */
  readonly isPatient?: boolean;
  /** Whether to print the output at the end, in one piece. */
  readonly isHeld?: boolean;
  /** Time limit in milliseconds; then it is stopped with all processes that it started. @default {480_000} */
  readonly limitMs?: number;
}

/** Runs `deno`, prints its output in whole lines, and searches the output for secrets. */
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
    // A stopped process may leave an incomplete line.
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
