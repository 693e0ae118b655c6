import { Fragment, h, type VNode } from "preact";
import { errorOverlayParts } from "../dev/error_overlay.ts";
import { HttpError } from "../error.ts";
import { outsideIsland } from "./islands.ts";
import { currentPass, type RenderPass } from "./pass.ts";
import { serializeProps } from "./serialize_props.ts";

/** Renders the end of a page once: JSX that no island has shown yet, and the scripts. */
export function PageScripts(): VNode | null {
  const pass = currentPass()!;
  if (pass.hasScripts) return null;
  pass.hasScripts = true;
  return h(Fragment, null, h(HiddenSlots, { from: 0 }), h(Scripts, null));
}

/** Renders slots; a slot's content may contain further slots, which follow it. */
function HiddenSlots({ from }: { from: number }): VNode | null {
  const { slots } = currentPass()!;
  const id = slots.findIndex((slot, index) => index >= from && !slot.shown);
  if (id === -1) return null;
  const { name, content } = slots[id];
  const template = h("template", { id: `frsh-${id}-${name}` }, outsideIsland(content));
  return h(Fragment, null, template, h(HiddenSlots, { from: id + 1 }));
}

function Scripts(): VNode {
  const pass = currentPass()!;
  const { snapshot } = pass;
  const scripts: VNode[] = [];
  if (pass.islands.size > 0) scripts.push(inlineModule(pass, bootScript(pass)));
  if (snapshot.devEntry !== undefined) {
    scripts.push(inlineModule(pass, `import${quote(pass, snapshot.devEntry)};`));
  }
  if (snapshot.dev && isServerError(pass.ctx.error)) {
    scripts.push(...errorOverlayParts(pass.ctx.error));
  }
  return h(Fragment, null, scripts);
}

function inlineModule({ nonce }: RenderPass, code: string): VNode {
  return h("script", { type: "module", nonce, dangerouslySetInnerHTML: { __html: code } }) as VNode;
}

/** Imports the page's islands and starts them. */
function bootScript(pass: RenderPass): string {
  const islands = [...pass.islands];
  const imports = islands.map(({ exportName, file }, i) =>
    `import{${exportName} as i${i}}from${quote(pass, file)};`
  );
  const registry = islands.map(({ name }, i) => `${JSON.stringify(name)}:i${i}`);
  const props = escapeInScript(JSON.stringify(serializeProps(pass.islandProps)));
  return `import{boot}from${quote(pass, pass.snapshot.clientEntry)};${imports.join("")}` +
    `boot({${registry.join(",")}},${props});`;
}

function quote({ ctx }: RenderPass, file: string): string {
  return escapeInScript(JSON.stringify(ctx.config.basePath + file));
}

/**
 * Security: inside a script, `<` could start `</script>` or `<!--`. It only appears in strings, where
 * its escaped form has the same meaning.
 */
function escapeInScript(json: string): string {
  return json.replaceAll("<", "\\u003C");
}

function isServerError(error: unknown): boolean {
  if (error === null || error === undefined) return false;
  return !(error instanceof HttpError) || error.status >= 500;
}
