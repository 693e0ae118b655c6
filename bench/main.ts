/**
 * `deno task bench [NAME…] [options]`: runs questions; without names, the quick ones in turn.
 *
 * - `--rounds 5`, `--seconds 3`: the number of rounds, and the duration of each measurement.
 * - `--peers ws,Bun`: measures only these besides Sluice and bare Deno.
 * - `--save`: writes `results/NAME.json`, its plots, and the page `docs/benchmarks.md`.
 * - `--page`: rewrites the page and the plots from the saved results.
 * - `--compare REV`: compares this tree with another revision, and that revision with itself.
 *
 * Missing tools are installed if possible (a compiler with `apt-get`, peers from npm into the cache
 * folder). If not, the peer or question is reported as left out. A name may also be that of a
 * program in `checks/`, which takes its own arguments and prints its own results.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { V8_FLAGS } from "../app/process/v8_flags.ts";
import { askQuestion } from "./harness/ask_question.ts";
import { compareRevisions } from "./harness/compare_revisions.ts";
import { listChecks, listQuestions, loadQuestion } from "./harness/question_files.ts";
import { saveResult, writePage } from "./harness/report/save_result.ts";

const ROOT = new URL("../", import.meta.url).pathname;

const OPTIONS = {
  rounds: { type: "string" },
  seconds: { type: "string" },
  peers: { type: "string" },
  save: { type: "boolean" },
  page: { type: "boolean" },
  compare: { type: "string" },
} as const;

const EFFORT = { rounds: 5, seconds: 3 };

if (listChecks().includes(Deno.args[0] ?? "")) await runCheck();
else await askAll();

async function askAll(): Promise<void> {
  const { values, positionals: names } = readArguments();
  if (values.page) return await writePage(ROOT);
  const known = listQuestions();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const all = [...known, ...listChecks()].join(", ");
    console.error(`There is no question "${unknown}"; choose from ${all}.`);
    Deno.exit(1);
  }
  const effort = {
    rounds: number("rounds", values.rounds),
    seconds: number("seconds", values.seconds),
    ...(values.peers ? { peers: new Set(values.peers.split(",")) } : {}),
  };
  for (const name of names.length > 0 ? names : known) {
    const question = await loadQuestion(name);
    if (names.length === 0 && !question.isQuick) continue;
    if (values.compare) {
      await compareRevisions(ROOT, values.compare, { name, question, effort });
    } else {
      const result = await askQuestion(ROOT, { name, question, effort });
      if (values.save && result !== undefined) await saveResult(ROOT, result);
    }
  }
}

async function runCheck(): Promise<void> {
  const [name, ...rest] = Deno.args;
  const script = new URL(`checks/${name}.ts`, import.meta.url).pathname;
  const args = ["run", "-A", `${V8_FLAGS},--expose-gc`, script, ...rest];
  const { code } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
  Deno.exit(code);
}

function readArguments() {
  try {
    return parseArgs({ args: Deno.args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}

function number(name: keyof typeof EFFORT, text: string | undefined): number {
  const value = text === undefined ? EFFORT[name] : Number(text);
  if (value > 0) return value;
  console.error(`--${name} is "${text}", but accepts a number greater than 0.`);
  Deno.exit(1);
}
