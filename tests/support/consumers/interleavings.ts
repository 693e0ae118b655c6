import { setImmediate } from "node:timers/promises";

/** One run of a scenario, in which a scheduler decides what happens next. */
export interface Run {
  /** Returns a promise that the scheduler settles. During the final check it settles at once. */
  step<T>(answer: () => T): Promise<T>;
  /** Adds actions that run in this order, at moments that the scheduler chooses. */
  script(actions: readonly (() => void)[]): void;
}

/** Chooses among `count` options: the recorded choices first, then always the first option. */
class Chooser {
  readonly made: number[] = [];
  readonly counts: number[] = [];
  readonly #recorded: readonly number[];

  constructor(recorded: readonly number[]) {
    this.#recorded = recorded;
  }

  choose(count: number): number {
    const choice = this.#recorded[this.made.length] ?? 0;
    this.made.push(choice);
    this.counts.push(count);
    return choice;
  }

  /** The choices of the next run, or undefined after the last one. */
  next(): number[] | undefined {
    for (let at = this.made.length - 1; at >= 0; at--) {
      if (this.made[at]! + 1 < this.counts[at]!) {
        return [...this.made.slice(0, at), this.made[at]! + 1];
      }
    }
    return undefined;
  }
}

/**
 * Runs a scenario in every order of its steps, up to `limit` orders. `begin` sets it up and returns
 * the check that runs when no step is left. Returns the number of orders.
 */
export async function allInterleavings(
  begin: (run: Run) => () => void | Promise<void>,
  limit: number,
): Promise<number> {
  let recorded: number[] | undefined = [];
  let runs = 0;
  while (recorded !== undefined && runs < limit) {
    const chooser: Chooser = new Chooser(recorded);
    await runOnce(begin, chooser);
    recorded = chooser.next();
    runs++;
  }
  return runs;
}

async function runOnce(
  begin: (run: Run) => () => void | Promise<void>,
  chooser: Chooser,
): Promise<void> {
  const pending: (() => void)[] = [];
  let actions: (() => void)[] = [];
  let isOver = false;
  const check = begin({
    step: (answer) =>
      new Promise((resolve) => {
        const value = answer();
        if (isOver) resolve(value);
        else pending.push(() => resolve(value));
      }),
    script: (added) => actions = [...actions, ...added],
  });
  while (true) {
    await setImmediate();
    const count = pending.length + (actions.length > 0 ? 1 : 0);
    if (count === 0) break;
    const choice = chooser.choose(count);
    if (choice === pending.length) actions.shift()!();
    else pending.splice(choice, 1)[0]!();
  }
  isOver = true;
  try {
    await check();
  } catch (error) {
    throw new Error(`Failed in the order ${chooser.made.join(" ")}`, { cause: error });
  }
}
