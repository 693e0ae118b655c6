/**
 * Lets Preact render between two nodes as if an element enclosed them. Several islands can share a
 * parent, and must not change nodes around them.
 */
export function rootBetween(parent: Element, start: Node, end: Node): Element {
  const children = () => {
    const nodes: Node[] = [];
    for (let node = start.nextSibling; node && node !== end; node = node.nextSibling) {
      nodes.push(node);
    }
    return nodes;
  };
  const root = {
    nodeType: 1,
    parentNode: parent,
    ownerDocument: parent.ownerDocument,
    namespaceURI: parent.namespaceURI,
    nextSibling: null,
    get childNodes() {
      return children();
    },
    get firstChild() {
      return start.nextSibling === end ? null : start.nextSibling;
    },
    contains: (node: Node | null) => children().some((child) => child.contains(node)),
    insertBefore: (node: Node, before: Node | null) => parent.insertBefore(node, before ?? end),
    appendChild: (node: Node) => parent.insertBefore(node, end),
    removeChild: (node: Node) => parent.removeChild(node),
  };
  return root as unknown as Element;
}
