import { setTimeout } from "node:timers/promises";

export { expect } from "./expect.ts";

/** A test that the suite defined. */
export interface DefinedTest {
  /** Its title, after those of its groups. */
  readonly name: string;
  readonly body: () => unknown;
  readonly timeoutMs: number;
  /** Whether it may run beside others; it then measures time. */
  readonly isConcurrent: boolean;
  readonly isLeftOut: boolean;
}

/** The tests that the suite defined, in order. */
export const definedTests: DefinedTest[] = [];

type Timeout = number | { readonly timeout?: number };

const groups: { readonly name: string; readonly isLeftOut: boolean }[] = [];

function addGroup(name: string, define: () => void, isLeftOut = false): void {
  groups.push({ name, isLeftOut });
  define();
  groups.pop();
}

function addTest(
  isConcurrent: boolean,
  title: string,
  body: () => unknown,
  timeout: Timeout = {},
): void {
  const timeoutMs = typeof timeout === "number" ? timeout : timeout.timeout ?? 5_000;
  const name = [...groups.map((group) => group.name), title].join(" > ");
  const isLeftOut = groups.some((group) => group.isLeftOut);
  definedTests.push({ name, body, timeoutMs, isConcurrent, isLeftOut });
}

const leaveOut = (name: string, define: () => void) => addGroup(name, define, true);

/** `describe()` of vitest, as far as the suite uses it. */
export const describe = Object.assign(
  (name: string, define: () => void) => addGroup(name, define),
  { runIf: (isWanted: unknown) => isWanted ? describe : leaveOut },
);

/** `test()` of vitest, as far as the suite uses it. */
export const test = Object.assign(
  (title: string, body: () => unknown, timeout?: Timeout) => addTest(false, title, body, timeout),
  {
    concurrent: (title: string, body: () => unknown, timeout?: Timeout) => {
      addTest(true, title, body, timeout);
    },
  },
);

/** `vi` of vitest, as far as the suite uses it. */
export const vi = {
  async waitFor<T>(
    attempt: () => T | Promise<T>,
    { timeout = 1_000, interval = 50 }: { timeout?: number; interval?: number } = {},
  ): Promise<T> {
    for (let leftMs = timeout;; leftMs -= interval) {
      try {
        return await attempt();
      } catch (error) {
        if (leftMs <= 0) throw error;
        await setTimeout(interval);
      }
    }
  },
};
