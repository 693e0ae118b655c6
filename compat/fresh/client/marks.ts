import { type ComponentChild, type ComponentType, Fragment, h } from "preact";
import { SlotRef } from "./read_props.ts";

/** A pair of comments that the server wrote around an island or a slot. */
export interface Mark {
  kind: string;
  /** Position of an island's properties; number of a slot. */
  id: number;
  /** The island's name, or the property of a slot. */
  name: string;
  start: Comment;
  end?: Comment;
}

/** The marks of a page. */
export interface Marks {
  /** Islands outside other islands. */
  roots: Mark[];
  slots: Map<number, Mark>;
  byStart: Map<Node, Mark>;
}

/** Data needed to start islands. */
export interface Page {
  islands: Record<string, ComponentType>;
  props: Record<string, unknown>[];
  marks: Marks;
}

/** Finds the marks below a node, except inside templates. */
export function findMarks(root: Node, marks: Marks = emptyMarks()): Marks {
  const open: Mark[] = [];
  const comments = document.createTreeWalker(root, NodeFilter.SHOW_COMMENT);
  while (comments.nextNode()) {
    const node = comments.currentNode as Comment;
    if (node.data.startsWith("/frsh:")) {
      const mark = open.pop();
      if (mark) mark.end = node;
    } else if (node.data.startsWith("frsh:")) {
      open.push(addMark(marks, node, open.length === 0 && root === document.body));
    }
  }
  return marks;
}

function addMark(marks: Marks, start: Comment, isRoot: boolean): Mark {
  const [, kind, first, second] = start.data.split(":");
  const isIsland = kind === "island";
  const mark: Mark = isIsland
    ? { kind, start, name: first, id: Number(second) }
    : { kind, start, name: second, id: Number(first) };
  marks.byStart.set(start, mark);
  if (!isIsland) marks.slots.set(mark.id, mark);
  else if (isRoot) marks.roots.push(mark);
  return mark;
}

function emptyMarks(): Marks {
  return { roots: [], slots: new Map(), byStart: new Map() };
}

/** Returns an island's properties with the slots replaced by elements of the page's nodes. */
export function childrenOf(page: Page, props: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(props).map(([name, value]) => [
    name,
    value instanceof SlotRef ? h(Fragment, null, slotChildren(page, value)) : value,
  ]);
  return Object.fromEntries(entries);
}

function slotChildren(page: Page, { id, name }: SlotRef): ComponentChild[] {
  const slot = page.marks.slots.get(id);
  if (slot) return toElements(page, slot.start.nextSibling, slot.end);
  const template = document.getElementById(`frsh-${id}-${name}`) as HTMLTemplateElement | null;
  if (template === null) return [];
  findMarks(template.content, page.marks);
  return toElements(page, template.content.firstChild);
}

/** Converts nodes to elements, and islands among them to islands. */
function toElements(page: Page, first: Node | null, end?: Node): ComponentChild[] {
  const children: ComponentChild[] = [];
  for (let node = first; node !== null && node !== end; node = node.nextSibling) {
    if (node instanceof Element) {
      children.push(h(node.localName, attributesOf(node), toElements(page, node.firstChild)));
    } else if (node instanceof Text) {
      children.push(node.data);
    }
    const mark = page.marks.byStart.get(node);
    if (mark?.end === undefined) continue;
    if (mark.kind === "island") {
      children.push(h(page.islands[mark.name], childrenOf(page, page.props[mark.id])));
    }
    node = mark.end;
  }
  return children;
}

function attributesOf(element: Element): Record<string, string | boolean> {
  const attributes: Record<string, string | boolean> = {};
  for (const { name, value } of element.attributes) {
    const isBoolean = typeof (element as unknown as Record<string, unknown>)[name] === "boolean";
    // Preact treats `on…` as a listener; inline listeners do not belong to islands.
    if (!name.startsWith("on")) attributes[name] = isBoolean || value;
  }
  return attributes;
}
