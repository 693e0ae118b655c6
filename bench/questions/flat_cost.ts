import type { Contest, Question } from "../harness/question.ts";
import { scriptContestant } from "../harness/script_contest.ts";

const FEW = 100;
const MANY = 10_000;

const KINDS = [
  ["groups", "A message to a group of 100, beside other groups"],
  ["sockets", "A message through a consumer to a room of 10, beside other sockets"],
  ["presence", "The same with presence in every room, beside other people"],
] as const;

/** Does a message cost the same whatever the number of other groups, sockets and users? */
const flatCost: Question = {
  title: "Cost of a message against the number of others",
  about:
    "One process without a network, so that only the toolkit's own work is measured: the cost of one " +
    "message next to 100 and next to 10,000 unrelated groups, sockets or users. For presence, one " +
    "message goes to a room with a user list while that many other users are in other rooms.",
  isQuick: true,
  contests(lab) {
    const baseline = name(FEW);
    return Promise.resolve(KINDS.map(([kind, title]): Contest => ({
      id: `flat_cost_${kind}`,
      title,
      unit: "µs of processor per delivery",
      better: "less",
      baseline,
      targets: [{ of: name(MANY), against: baseline, ratio: 1.1 }],
      absent: [],
      contestants: [FEW, MANY].map((count) =>
        scriptContestant(lab, name(count), "flat_cost.ts", [kind, String(count)])
      ),
    })));
  },
};

export default flatCost;

function name(others: number): string {
  return `${others.toLocaleString("en")} others`;
}
