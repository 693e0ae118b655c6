import { h, type VNode } from "preact";
import { renderToString } from "preact-render-to-string";
import type { Snapshot } from "../build/snapshot.ts";

const STYLE = `
#fresh-error-overlay { position: fixed; inset: 0; z-index: 99999; overflow: auto; padding: 2rem;
  background: #fff; color: #1b1b1b; font: 16px/1.5 system-ui, sans-serif; }
#fresh-error-overlay pre { white-space: pre-wrap; overflow-wrap: anywhere; }`;

/** Returns a document with an error and its stack, for development only. */
export function errorOverlay(error: unknown, { devEntry }: Snapshot): string {
  const reload = devEntry && h("script", { type: "module", src: devEntry });
  const head = h("head", null, h("meta", { charset: "utf-8" }), h("title", null, "Error"), reload);
  const body = h("body", null, errorOverlayParts(error));
  return "<!DOCTYPE html>" + renderToString(h("html", { lang: "en" }, head, body));
}

/** Returns the content of {@linkcode errorOverlay}, to be placed over a page. */
export function errorOverlayParts(error: unknown): VNode[] {
  const isError = error instanceof Error;
  const title = isError ? `${error.name}: ${error.message}` : String(error);
  const stack = isError && error.stack ? h("pre", null, error.stack) : null;
  const section = { id: "fresh-error-overlay", role: "alert" } as const;
  return [h("style", null, STYLE), h("section", section, h("h1", null, title), stack)] as VNode[];
}
