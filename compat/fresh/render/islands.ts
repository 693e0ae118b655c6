import {
  type ComponentChildren,
  createContext,
  Fragment,
  type FunctionComponent,
  h,
  isValidElement,
  type VNode,
} from "preact";
import { useContext } from "preact/hooks";
import type { Island } from "../build/snapshot.ts";
import { currentPass, type RenderPass } from "./pass.ts";

type Props = Record<string, unknown>;

/** Whether the enclosing component is an island, which renders its content in the browser. */
const InsideIsland = createContext(false);

/** Island elements that already have their marks. */
const surrounded = new WeakSet<VNode>();

/** Adds marks around an island's element, so that the browser finds it. */
export function surroundIsland({ snapshot }: RenderPass, vnode: VNode): void {
  const island = snapshot.islands.get(vnode.type);
  if (island === undefined || surrounded.has(vnode)) return;
  vnode.type = boundaryOf(island) as VNode["type"];
}

function boundaryOf(island: Island): FunctionComponent<Props> {
  return (props) => {
    const pass = currentPass()!;
    if (useContext(InsideIsland)) return islandElement(island, props);
    pass.islands.add(island);
    const passed = withSlots(pass, props);
    const index = pass.islandProps.push(passed) - 1;
    const inside = h(InsideIsland.Provider, { value: true }, islandElement(island, passed));
    return marked(`frsh:island:${island.name}:${index}`, inside);
  };
}

function islandElement(island: Island, props: Props): VNode {
  const element = h(island.fn as FunctionComponent<Props>, { ...props });
  surrounded.add(element as VNode);
  return element as VNode;
}

/** Renders JSX on the server; the island receives a slot that shows it. */
function withSlots(pass: RenderPass, props: Props): Props {
  const passed: Props = {};
  for (const [name, value] of Object.entries(props)) {
    passed[name] = name === "children" || isJsx(value)
      ? h(Slot, { id: pass.slots.push({ name, content: value, shown: false }) - 1, name })
      : value;
  }
  return passed;
}

/** Shows JSX that was passed to an island; islands in it are independent. */
export function Slot({ id, name }: { id: number; name: string }): VNode {
  const slot = currentPass()!.slots[id];
  slot.shown = true;
  return marked(`frsh:slot:${id}:${name}`, outsideIsland(slot.content));
}

/** Content whose islands do not belong to the enclosing island. */
export function outsideIsland(content: unknown): VNode {
  return h(InsideIsland.Provider, { value: false }, content as ComponentChildren) as VNode;
}

function isJsx(value: unknown): boolean {
  // Preact treats a signal as an element.
  return isValidElement(value) && !("peek" in (value as object));
}

function marked(name: string, content: ComponentChildren): VNode {
  const [kind] = /^frsh:\w+/.exec(name)!;
  return h(Fragment, null, comment(name), content, comment("/" + kind));
}

function comment(text: string): VNode {
  // preact-render-to-string's way to write comments, for which JSX has no syntax.
  return h(Fragment, { UNSTABLE_comment: text } as Props) as VNode;
}
