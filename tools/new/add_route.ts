import { type ConsumerNames, ScaffoldError } from "./consumer_names.ts";

const ROUTER = /\.routes\(\[\n/g;
const CONSUMER_IMPORT = /^import [^;]*? from "\.\/consumers\/[^"]+";\n/gm;

/**
 * Returns the text of `realtime.ts` with an import and a route for a new consumer.
 *
 * The route is added first: its path is fixed, so it hides no other route.
 *
 * @throws {ScaffoldError} The path already has a route, or the text does not have the required form.
 */
export function addRoute(text: string, { name, pascal, path }: ConsumerNames): string {
  if (new RegExp(`"${path}["/(]`).test(text)) {
    throw new ScaffoldError(`Cannot add a route: realtime.ts already has one for ${path}.`);
  }
  const routers = [...text.matchAll(ROUTER)];
  const lastImport = [...text.matchAll(CONSUMER_IMPORT)].at(-1);
  if (routers.length !== 1 || lastImport === undefined) {
    throw new ScaffoldError(
      "Cannot add a route: realtime.ts must have exactly one line that ends in `.routes([`, and an " +
        `import from "./consumers/"; it has ${routers.length} and ${lastImport ? "one" : "none"}.`,
    );
  }
  const importEnd = lastImport.index + lastImport[0].length;
  const routesStart = routers[0]!.index + routers[0]![0].length;
  if (routesStart < importEnd) {
    throw new ScaffoldError(
      "Cannot add a route: realtime.ts has its routes before its imports.",
    );
  }
  return [
    text.slice(0, importEnd),
    `import { ${pascal}Consumer } from "./consumers/${name}_consumer.ts";\n`,
    text.slice(importEnd, routesStart),
    `      route("${path}", ${pascal}Consumer),\n`,
    text.slice(routesStart),
  ].join("");
}
