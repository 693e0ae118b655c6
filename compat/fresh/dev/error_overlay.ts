import { fromFileUrl, isInside } from "../http/paths.ts";
import { h, type VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import type { Snapshot } from "../build/snapshot.ts";
import { codeFrame } from "./code_frame.ts";

const STYLE = `
#fresh-error-overlay { position: fixed; inset: 0; z-index: 99999; overflow: auto; padding: 2rem;
  background: #fff; color: #1b1b1b; font: 16px/1.5 system-ui, sans-serif; }
#fresh-error-overlay h1 { margin: 0 0 1rem; color: #b3261e; font-size: 1.4rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
#fresh-error-overlay pre { overflow: auto; padding: 1rem; border-radius: 6px;
  background: #f3f3f3; font: 14px/1.5 ui-monospace, monospace; }`;

/** Returns a document that explains an error. For development only, because it shows source code. */
export function errorOverlay(error: unknown, snapshot: Snapshot): string {
  const reload = snapshot.devEntry && h("script", { type: "module", src: snapshot.devEntry });
  const head = h("head", null, h("meta", { charset: "utf-8" }), h("title", null, "Error"), reload);
  const body = h("body", null, errorOverlayParts(error, snapshot));
  return "<!DOCTYPE html>" + renderToString(h("html", { lang: "en" }, head, body));
}

/** Returns the content of {@linkcode errorOverlay}, to be placed over a page. */
export function errorOverlayParts(error: unknown, { root }: Snapshot): VNode[] {
  const isError = error instanceof Error;
  const stack = isError ? error.stack ?? "" : "";
  const place = findPlace(stack, root);
  return [
    h("style", null, STYLE),
    h(
      "section",
      { id: "fresh-error-overlay", role: "alert" },
      h("h1", null, isError ? `${error.name}: ${error.message}` : String(error)),
      place && h("p", null, `${place.file}:${place.line}:${place.column}`),
      place && h("pre", null, readFrame(place)),
      stack && h("pre", null, stack),
    ),
  ] as VNode[];
}

interface Place {
  file: string;
  line: number;
  column: number;
}

/** Returns the first stack frame inside the project. */
function findPlace(stack: string, root: string): Place | undefined {
  for (const [, url, line, column] of stack.matchAll(/(file:\/\/[^\s()]+?):(\d+):(\d+)/g)) {
    const file = fromFileUrl(url);
    if (isInside(file, root)) return { file, line: Number(line), column: Number(column) };
  }
}

function readFrame({ file, line, column }: Place): string | undefined {
  try {
    return codeFrame(Deno.readTextFileSync(file), line, column);
  } catch {
    return undefined; // The file may have been deleted.
  }
}
