import type { Question } from "./question.ts";

const BENCH = new URL("../", import.meta.url);

/** The questions of `questions/`, by name. */
export function listQuestions(): string[] {
  return modulesIn(new URL("questions/", BENCH));
}

/** The programs of `checks/`, which print their own results. */
export function listChecks(): string[] {
  return modulesIn(new URL("checks/", BENCH));
}

/** Loads a question of `questions/`. */
export async function loadQuestion(name: string): Promise<Question> {
  const module: { default: Question } = await import(new URL(`questions/${name}.ts`, BENCH).href);
  return module.default;
}

function modulesIn(folder: URL): string[] {
  return [...Deno.readDirSync(folder)]
    .filter(({ isFile, name }) => isFile && name.endsWith(".ts"))
    .map(({ name }) => name.slice(0, -".ts".length))
    .sort();
}
