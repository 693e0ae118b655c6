/** The file that reads request bodies, and the file that passes them on. */
const READERS: readonly string[] = ["lib/core/read_body.ts", "lib/server/request_scope.ts"];

/** Code that serves no requests in production. */
const FREE = /^(?:tests|bench|tools)\//;

const METHODS: ReadonlySet<string> = new Set([
  "arrayBuffer",
  "blob",
  "body",
  "bytes",
  "formData",
  "json",
  "text",
  "textStream",
]);

/** Names of requests: `req`, `request`, `oldRequest`, and `ctx.req`, `scope.request`. */
const NAME = /^(?:_?req|_?request|\w+Request)$/;

/** Reports code that reads a request body without a limit, unless the file may do so. */
export function visitRequestBodies(
  file: string,
  report: (node: Deno.lint.Node) => void,
): Deno.lint.LintVisitor {
  if (FREE.test(file) || READERS.includes(file)) return {};
  /** Variables and parameters whose type is `Request`. */
  const requests = new Set<string>();
  const isRequest = (node: Deno.lint.Node): boolean => {
    if (node.type === "Identifier") return NAME.test(node.name) || requests.has(node.name);
    if (node.type === "TSNonNullExpression" || node.type === "TSAsExpression") {
      return isRequest(node.expression);
    }
    if (node.type === "ChainExpression") return isRequest(node.expression);
    if (node.type === "MemberExpression") return NAME.test(propertyOf(node) ?? "");
    // `request.clone()` has the same body.
    return node.type === "CallExpression" && node.callee.type === "MemberExpression" &&
      propertyOf(node.callee) === "clone" && isRequest(node.callee.object);
  };
  return {
    Identifier(node) {
      const type = node.typeAnnotation?.typeAnnotation;
      if (type?.type !== "TSTypeReference" || type.typeName.type !== "Identifier") return;
      if (type.typeName.name === "Request") requests.add(node.name);
    },
    MemberExpression(node) {
      if (METHODS.has(propertyOf(node) ?? "") && isRequest(node.object)) report(node);
    },
    VariableDeclarator(node) {
      if (node.id.type !== "ObjectPattern" || node.init === null || !isRequest(node.init)) return;
      for (const property of node.id.properties) {
        if (property.type !== "Property" || property.key.type !== "Identifier") continue;
        if (METHODS.has(property.key.name)) report(property);
      }
    },
  };
}

/** `a.name`, `a?.name` and `a["name"]`. */
function propertyOf({ property, computed }: Deno.lint.MemberExpression): string | undefined {
  if (!computed && property.type === "Identifier") return property.name;
  return property.type === "Literal" && typeof property.value === "string"
    ? property.value
    : undefined;
}
