import { Fragment, type FunctionComponent, h, options, type VNode } from "preact";
import { useContext } from "preact/hooks";
import { assetUrl, lockImage } from "../build/asset.ts";
import { HEAD_TAGS, HeadContext } from "../head.ts";
import { markActiveLink } from "./active_link.ts";
import { StandInError } from "../error.ts";
import { surroundIsland } from "./islands.ts";
import { currentPass, type RenderPass } from "./pass.ts";
import { PageScripts } from "./scripts.ts";

type Props = Record<string, unknown>;

/** Preact's hook before an element is rendered; its name is the mangled one. */
const hooks = options as unknown as { __b?: (vnode: VNode<Props>) => void };

/** Elements that are already prepared, even if they are rendered again. */
const prepared = new WeakSet<VNode<Props>>();

const before = hooks.__b;
hooks.__b = (vnode) => {
  const pass = currentPass();
  if (pass !== null) {
    if (typeof vnode.type === "string") prepareElement(pass, vnode, vnode.type);
    else if (vnode.type !== Fragment) surroundIsland(pass, vnode as VNode);
  }
  before?.(vnode);
};

function prepareElement(pass: RenderPass, vnode: VNode<Props>, tag: string): void {
  if (tag === "html" || tag === "head" || tag === "body") pass.seen[tag] = true;
  if (prepared.has(vnode)) return;
  prepared.add(vnode);
  for (const name of ["f-client-nav", "f-partial"]) {
    if (name in vnode.props) throw new StandInError(`The attribute ${name}`);
  }
  if (tag === "head") append(vnode, h(HeadRest, {}));
  else if (tag === "body") append(vnode, h(PageScripts, {}));
  else if (tag === "a") markActiveLink(vnode.props, pass.ctx.url);
  else if (tag === "img" || tag === "source") lockImage(vnode.props, assetUrl);
  else if (HEAD_TAGS.has(tag)) (vnode as VNode).type = headElement(vnode, tag) as VNode["type"];
}

function append(vnode: VNode<Props>, last: VNode): void {
  vnode.props = { ...vnode.props, children: [vnode.props.children, last] };
}

/** Elements of `<Head>` without a counterpart in `<head>`. */
function HeadRest() {
  const pass = currentPass()!;
  const rest = [...pass.head.values()];
  pass.head.clear();
  return h(Fragment, null, rest);
}

/**
 * Inside `<Head>`, an element is kept until `<head>` is rendered. Elsewhere, a kept element with the
 * same key replaces it.
 */
function headElement(vnode: VNode<Props>, tag: string): FunctionComponent<Props> {
  const key = headKey(vnode, tag);
  const { key: ownKey } = vnode;
  return (props) => {
    const pass = currentPass()!;
    const isInHead = useContext(HeadContext);
    const element = h(tag, withNonce(pass, tag, props, ownKey)) as VNode<Props>;
    prepared.add(element);
    if (isInHead) {
      pass.head.set(key, element as VNode);
      return null;
    }
    const waiting = pass.head.get(key);
    pass.head.delete(key);
    return waiting ?? element;
  };
}

function withNonce({ nonce }: RenderPass, tag: string, props: Props, key: unknown): Props {
  const attributes: Props = { ...props };
  if (key != null) attributes["data-key"] = key;
  if ((tag === "script" || tag === "style") && !props.nonce) attributes.nonce = nonce;
  return attributes;
}

/** Returns the identity of an element: its key, or everything except its value. */
function headKey({ key, props }: VNode<Props>, tag: string): string {
  if (key != null) return String(key);
  if (tag === "title") return tag;
  const value = { meta: "content", link: "href" }[tag];
  const ignored = new Set(["children", "nonce", "ref", value]);
  const attributes = Object.entries(props)
    .filter(([name]) => !ignored.has(name))
    .map(([name, attribute]) => `${name}=${htmlOf(attribute) ?? attribute}`);
  return [tag, ...attributes.sort()].join(" ");
}

function htmlOf(value: unknown): unknown {
  return (value as { __html?: unknown } | null)?.__html;
}
