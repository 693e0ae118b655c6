import { type ComponentChildren, createContext, h, type VNode } from "preact";

/** Whether what is rendered belongs in the document's head. */
export const HeadContext = createContext(false);

/** Properties of {@linkcode Head}. */
export interface HeadProps {
  children?: ComponentChildren;
}

/**
 * Puts its children into the document's `<head>`, in place of those there with the same `key`;
 * a `<title>` replaces the title. In an island, changes follow what the island renders.
 */
export function Head(props: HeadProps): VNode {
  return h(HeadContext.Provider, { value: true }, props.children) as VNode;
}
