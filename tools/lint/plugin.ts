/**
 * The project's lint rules: allowed imports between folders, allowed uses of `Deno`, limits for reading
 * request bodies, and no unhandled promise rejections.
 *
 * @module
 */
import { checkImport } from "./check_import.ts";
import { DENO_ADAPTER } from "./import_table.ts";
import { visitRequestBodies } from "./request_body.ts";
import { visitVoid } from "./void_promise.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const plugin: Deno.lint.Plugin = {
  name: "sluice",
  rules: {
    "import-direction": { create: checkImports },
    "deno-in-adapters": { create: checkGlobals },
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
  if (DENO_ADAPTER.test(pathFromRoot(context.filename))) return {};
  const report = (node: Deno.lint.Node) =>
    context.report({
      node,
      message: "Only adapters may use `Deno`, so that the rest runs on Node",
      hint:
        "Use a node: module or a web standard, or move the code into a folder named deno, or a file named kv_*",
    });
  return {
    MemberExpression(node) {
      const { object, property } = node;
      if (object.type !== "Identifier" || property.type !== "Identifier") return;
      if (object.name === "Deno") report(node);
      if (object.name === "globalThis" && property.name === "Deno") report(node);
    },
    TSQualifiedName(node) {
      if (node.left.type === "Identifier" && node.left.name === "Deno") report(node);
    },
  };
}

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
