import { existsSync } from "node:fs";
import { aptInstall } from "../../../tools/provide/apt.ts";
import { cacheDir, findProgram, run } from "../../../tools/provide/programs.ts";
import { pinned } from "./cores.ts";
import { Unavailable } from "../unavailable.ts";

const SOURCES = new URL("../../load/", import.meta.url).pathname;
const FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra"];

/** Options of the load generator, as in `load/load.h`: `{ connections: 100 }`. */
export type LoadOptions = Readonly<Record<string, string | number | undefined>>;

/** The output of the load generator. */
export interface LoadResult {
  /** Messages, deliveries, upgrades or pages per second. */
  readonly rate: number;
  readonly count: number;
  readonly seconds: number;
  /** Latencies in microseconds; -1 without a measurement. */
  readonly p50: number;
  readonly p99: number;
  readonly busy: number;
  /** Processor seconds of the observed processes during the measurement. */
  readonly serverCpu: number;
  /** Messages of an open loop that were not received within two seconds. */
  readonly lost: number;
  /** Connections that the server closed. */
  readonly ended: number;
}

let provided: Promise<string> | undefined;

/**
 * Returns the path of the load generator. Compiles it if needed.
 *
 * @throws {Unavailable} There is no epoll or no compiler.
 */
export function provideGenerator(note: (text: string) => void): Promise<string> {
  return provided ??= compile(note);
}

/** Runs a load to its end, on its own processor. */
export async function runLoad(
  generator: string,
  kind: string,
  options: LoadOptions,
): Promise<LoadResult> {
  const [program, ...args] = pinned("load", loadCommand(generator, kind, options));
  const { success, stdout } = await new Deno.Command(program!, {
    args,
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`The load ended with an error: ${kind}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Returns the command of a load. */
export function loadCommand(generator: string, kind: string, options: LoadOptions): string[] {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return [generator, kind, ...given.map(([name, value]) => `${name}=${value}`)];
}

async function compile(note: (text: string) => void): Promise<string> {
  if (Deno.build.os !== "linux") {
    throw new Unavailable("the load generator requires Linux (epoll)");
  }
  const names = [...Deno.readDirSync(SOURCES)].map(({ name }) => name).sort();
  const texts = names.map((name) => Deno.readTextFileSync(SOURCES + name));
  const folder = `${cacheDir()}/bench`;
  const program = `${folder}/load-${await digest([...FLAGS, ...texts].join("\0"))}`;
  if (existsSync(program)) return program;
  const compiler = await provideCompiler(note);
  await Deno.mkdir(folder, { recursive: true });
  const unfinished = `${program}.${crypto.randomUUID()}`;
  const sources = names.filter((name) => name.endsWith(".c")).map((name) => SOURCES + name);
  note("Compiling the load generator");
  const args = [...FLAGS, "-o", unfinished, ...sources, "-lm"];
  const { success, output } = await run(compiler, args, { timeoutMs: 60_000 });
  if (!success) throw new Unavailable(`the load generator does not compile: ${output.trim()}`);
  await Deno.rename(unfinished, program);
  return program;
}

async function provideCompiler(note: (text: string) => void): Promise<string> {
  const found = findProgram("cc", "gcc", "clang");
  if (found) return found;
  note("Installing a C compiler with apt-get");
  const problem = await aptInstall("gcc", "libc6-dev");
  const installed = findProgram("cc", "gcc");
  if (installed) return installed;
  throw new Unavailable(
    `there is no C compiler for the load generator; ${problem ?? "installing one did not help"}`,
  );
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex().slice(0, 16);
}
