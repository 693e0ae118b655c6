/**
 * Functions whose promise never rejects, by name; the comment of each says so. `void` may be applied to
 * their calls.
 */
export const NEVER_REJECTS: Readonly<Record<string, string>> = {
  "#apply": "lib/presence/presence.ts",
  "#beat": "lib/gossip/gossip.ts",
  "#change": "lib/presence/presence.ts",
  "#checkWaiting": "lib/sessions/session_renewals.ts",
  "#follow": "lib/sessions/control_follower.ts",
  "#join": "lib/security/shared_rate_limiter.ts",
  "#tell": "lib/security/shared_rate_limiter.ts",
  "#tellGap": "lib/workers/channel_listener.ts",
  answer: "lib/gossip/teller.ts",
  refresh: "lib/auth/live_users.ts",
  tell: "lib/gossip/gossip.ts",
};

/** Functions that return no promise: `void` makes their result `undefined`. */
const RETURN_NO_PROMISE = ["after", "assign", "clearInterval", "groupDeliver", "refused"];

/** What is awaited is settled, and what is assigned is kept. */
const HARMLESS = ["Literal", "AwaitExpression", "AssignmentExpression", "UpdateExpression"];

/** Reports `void` that is applied to a promise which may reject: that would end a process. */
export function visitVoid(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return {
    UnaryExpression(node) {
      if (node.operator !== "void" || isHarmless(node.argument)) return;
      context.report({
        node,
        message: "`void` is applied to what may be a promise that rejects, which ends the process",
        hint: "End it in .catch(…), leave `void` out if there is no promise, or say that the " +
          "function never rejects and name it in tools/lint/void_promise.ts",
      });
    },
  };
}

function isHarmless(node: Deno.lint.Expression): boolean {
  if (node.type === "ChainExpression") return isHarmless(node.expression as Deno.lint.Expression);
  if (node.type !== "CallExpression") return HARMLESS.includes(node.type);
  const name = nameOf(node.callee);
  if (name === "catch") return node.arguments.length > 0;
  return name !== undefined &&
    (Object.hasOwn(NEVER_REJECTS, name) || RETURN_NO_PROMISE.includes(name));
}

/** Returns what is called: a function's name, or a method's, `#` included. */
function nameOf(callee: Deno.lint.Node): string | undefined {
  if (callee.type === "ChainExpression") return nameOf(callee.expression);
  if (callee.type === "Identifier") return callee.name;
  if (callee.type === "PrivateIdentifier") return `#${callee.name}`;
  return callee.type === "MemberExpression" && !callee.computed
    ? nameOf(callee.property)
    : undefined;
}
