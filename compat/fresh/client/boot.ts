import { type ComponentType, h, options, render, type VNode } from "preact";
import { assetUrl, lockImage } from "../build/asset.ts";
import { childrenOf, findMarks, type Page } from "./marks.ts";
import { readProps } from "./read_props.ts";
import { rootBetween } from "./root_between.ts";

const before = options.vnode;
options.vnode = (vnode: VNode) => {
  const { type, props } = vnode;
  if (type === "img" || type === "source") lockImage(props as Record<string, unknown>, assetUrl);
  before?.(vnode);
};

/**
 * Starts the islands of the page, each when the browser is idle.
 *
 * @param islands components by their names on the page
 * @param json their properties as serialised by the server
 */
export function boot(islands: Record<string, ComponentType>, json: string): void {
  const page: Page = { islands, props: readProps(json), marks: findMarks(document.body) };
  for (const mark of page.marks.roots) {
    whenIdle(() => {
      const parent = mark.start.parentNode as Element;
      if (mark.end === undefined || mark.end.parentNode !== parent) {
        console.error(
          `The browser moved part of island "${mark.name}": check the nesting of its HTML`,
        );
        return;
      }
      const props = page.props[mark.id] as Record<string, unknown>;
      const vnode = h(islands[mark.name], childrenOf(page, props));
      render(vnode, rootBetween(parent, mark.start, mark.end));
    });
  }
}

function whenIdle(task: () => void): void {
  const { scheduler } = globalThis as unknown as {
    scheduler?: { postTask(task: () => void): unknown };
  };
  if (scheduler) scheduler.postTask(task);
  else setTimeout(task);
}
