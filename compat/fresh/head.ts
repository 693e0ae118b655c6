import { type ComponentChildren, createContext, h, type VNode } from "preact";

/** Whether the rendered elements belong in the document's head. */
export const HeadContext = createContext(false);

/** The elements that {@linkcode Head} moves into the document's head. */
export const HEAD_TAGS: ReadonlySet<string> = new Set([
  "title",
  "meta",
  "link",
  "script",
  "style",
  "base",
  "noscript",
  "template",
]);

/** Properties of {@linkcode Head}. */
export interface HeadProps {
  children?: ComponentChildren;
}

/**
 * Moves its children into the document's `<head>`, and replaces elements there with the same `key`. A
 * `<title>` replaces the title. In an island, the head follows changes of the island.
 */
export function Head(props: HeadProps): VNode {
  return h(HeadContext.Provider, { value: true }, props.children) as VNode;
}
