import { h, options, toChildArray, type VNode } from "preact";
import { useContext, useEffect } from "preact/hooks";
import { HEAD_TAGS, HeadContext } from "../head.ts";

export { Head, type HeadProps } from "../head.ts";

type Props = Record<string, unknown>;

/** Elements that stay at their rendered position. */
let isPlacing = false;

const before = options.vnode;
options.vnode = (vnode) => {
  const { type } = vnode;
  if (typeof type === "string" && HEAD_TAGS.has(type) && !isPlacing) {
    vnode.props = {
      tag: type,
      attributes: vnode.props,
      name: vnode.key,
    } as unknown as VNode["props"];
    vnode.type = HeadElement as unknown as VNode["type"];
  }
  before?.(vnode);
};

/** An element that is updated in `<head>` if it belongs there, and rendered in place otherwise. */
function HeadElement(
  { tag, attributes, name }: { tag: string; attributes: Props; name: unknown },
): VNode | null {
  const isInHead = useContext(HeadContext);
  useEffect(() => {
    if (isInHead) updateHead(tag, attributes, name);
  });
  if (isInHead) return null;
  isPlacing = true;
  try {
    return h(tag, attributes) as VNode;
  } finally {
    isPlacing = false;
  }
}

function updateHead(tag: string, attributes: Props, name: unknown): void {
  const text = textOf(attributes.children);
  if (tag === "title") {
    document.title = text;
    return;
  }
  const element = findInHead(tag, attributes, name) ?? document.createElement(tag);
  if (element.textContent !== text) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "children") continue;
    if (value === null || value === undefined || value === false) element.removeAttribute(key);
    else element.setAttribute(key, String(value));
  }
  if (name != null) element.setAttribute("data-key", String(name));
  if (!element.isConnected) document.head.append(element);
}

function findInHead(tag: string, { id, name, rel }: Props, key: unknown): Element | null {
  const identifying: [string, unknown][] = [["data-key", key], ["id", id]];
  if (tag === "meta") identifying.push(["name", name]);
  if (tag === "link") identifying.push(["rel", rel]);
  for (const [attribute, value] of identifying) {
    if (value == null) continue;
    const selector = `[${attribute}="${CSS.escape(String(value))}"]`;
    const found = document.head.querySelector(selector);
    if (found !== null) return found;
  }
  return tag === "base" ? document.head.querySelector(tag) : null;
}

function textOf(children: unknown): string {
  return toChildArray(children as Parameters<typeof toChildArray>[0]).map((child) => {
    const value = typeof child === "object" ? (child as { value?: unknown }).value : child;
    return value === undefined ? "" : String(value);
  }).join("");
}
