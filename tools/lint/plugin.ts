/**
 * The project's lint rules: allowed imports between folders, allowed uses of the globals of runtimes, limits for reading
 * request bodies, and no unhandled promise rejections.
 *
 * @module
 */
import { checkImport } from "./check_import.ts";
import { ADAPTERS } from "./import_table.ts";
import { visitRequestBodies } from "./request_body.ts";
import { visitVoid } from "./void_promise.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const plugin: Deno.lint.Plugin = {
  name: "sluice",
  rules: {
    "import-direction": { create: checkImports },
    "runtime-in-adapters": { create: checkGlobals },
    "bounded-body": { create: checkBodies },
    "void-promise": { create: checkVoid },
  },
};

export default plugin;

function checkImports(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = pathFromRoot(context.filename);
  const check = (node: Deno.lint.Node, source: unknown, isType: boolean) => {
    if (typeof source !== "string") return;
    const message = checkImport(file, source, isType);
    if (message) {
      context.report({ node, message, hint: "See the rules in tools/lint/import_table.ts" });
    }
  };
  return {
    ImportDeclaration: (node) => check(node, node.source.value, isTypeOnly(node)),
    ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === "type"),
    ExportNamedDeclaration: (node) => check(node, node.source?.value, node.exportKind === "type"),
    ImportExpression: (node) => {
      if (node.source.type === "Literal") check(node, node.source.value, false);
    },
  };
}

function checkGlobals(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const file = pathFromRoot(context.filename);
  const check = (node: Deno.lint.Node, name: string) => {
    if (!Object.hasOwn(ADAPTERS, name) || ADAPTERS[name]!.test(file)) return;
    context.report({
      node,
      message: `Only adapters may use \`${name}\`, so that the rest runs on every runtime`,
      hint:
        "Import from a node: module, use a web standard, or move the code into a folder named after the runtime",
    });
  };
  return {
    MemberExpression(node) {
      const { object, property } = node;
      if (object.type !== "Identifier" || property.type !== "Identifier") return;
      // A variable may be called `process`, too.
      if (object.name !== "process" || OF_PROCESS.has(property.name)) check(node, object.name);
      if (object.name === "globalThis") check(node, property.name);
    },
    TSQualifiedName(node) {
      if (node.left.type === "Identifier") check(node, node.left.name);
    },
  };
}

/** Members of the global `process`. */
const OF_PROCESS: ReadonlySet<string> = new Set(
  "argv cwd emit env exit exitCode hrtime kill memoryUsage nextTick off on once pid platform stderr stdin stdout version versions"
    .split(" "),
);

function checkBodies(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return visitRequestBodies(pathFromRoot(context.filename), (node) =>
    context.report({
      node,
      message: "This reads a request body without a size and time limit",
      hint:
        "Use readBody() of @sluice/sluice/server or, in the app, formOf() and textOf() of app/http/body.ts",
    }));
}

function checkVoid(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  return /^(lib|app)\//.test(pathFromRoot(context.filename)) ? visitVoid(context) : {};
}

function isTypeOnly(node: Deno.lint.ImportDeclaration): boolean {
  if (node.importKind === "type") return true;
  return node.specifiers.length > 0 &&
    node.specifiers.every((specifier) =>
      specifier.type === "ImportSpecifier" && specifier.importKind === "type"
    );
}

function pathFromRoot(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}
