/**
 * Functions whose promise never rejects, by name, as documented at each function. Their calls may be
 * prefixed with `void`.
 */
export const NEVER_REJECTS: Readonly<Record<string, string>> = {
  "#apply": "lib/presence/presence.ts",
  "#sendHeartbeat": "lib/cluster/state_sync.ts",
  "#change": "lib/presence/presence.ts",
  "#checkWaiting": "lib/sessions/connections/session_renewals.ts",
  "#commitPending": "lib/streams/kv/kv_writer.ts",
  "#follow": "lib/sessions/revocation/log_poller.ts",
  "#join": "lib/security/shared_rate_limiter.ts",
  "#readMissing": "lib/client/_stream_reader.ts",
  "#tell": "lib/security/shared_rate_limiter.ts",
  "#tellGap": "lib/workers/channel_listener.ts",
  answer: "lib/cluster/announcer.ts",
  refresh: "lib/auth/users/live_users.ts",
  announce: "lib/cluster/state_sync.ts",
};

/** Functions that return no promise; `void` discards their result. */
const RETURN_NO_PROMISE = ["after", "assign", "clearInterval", "refused"];

/** Expressions that cannot reject, or whose promise is awaited or stored. */
const HARMLESS = ["Literal", "AwaitExpression", "AssignmentExpression", "UpdateExpression"];

/** Reports `void` before a promise that may reject, which would end the process. */
export function visitVoid(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return {
    UnaryExpression(node) {
      if (node.operator !== "void" || isHarmless(node.argument)) return;
      context.report({
        node,
        message: "`void` discards a promise that may reject, which would end the process",
        hint:
          "Add .catch(…), omit `void` if there is no promise, or document that the function never " +
          "rejects and add it to tools/lint/void_promise.ts",
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

/** Returns the name of the called function or method, including `#`. */
function nameOf(callee: Deno.lint.Node): string | undefined {
  if (callee.type === "ChainExpression") return nameOf(callee.expression);
  if (callee.type === "Identifier") return callee.name;
  if (callee.type === "PrivateIdentifier") return `#${callee.name}`;
  return callee.type === "MemberExpression" && !callee.computed
    ? nameOf(callee.property)
    : undefined;
}
