import { type AnyComponent, Fragment, h, type VNode } from "preact";
import { jsxTemplate } from "preact/jsx-runtime";
import { renderToString } from "preact-render-to-string";
import type { Context } from "../context.ts";
import { requestUi } from "../http/request_ui.ts";
import type { LayoutConfig } from "../layout_config.ts";
import type { PageProps } from "../types.ts";
import { isAsync, pageProps, renderComponent } from "./components.ts";
import "./elements.ts";
import { setNonce } from "./nonce.ts";
import { duringPass, RenderPass } from "./pass.ts";
import { PageScripts } from "./scripts.ts";

/** Renders a page inside its layouts and the app wrapper, and returns the document. */
export async function renderPage<State>(
  ctx: Context<State>,
  page: VNode | null,
  init: ResponseInit,
  config: LayoutConfig,
): Promise<Response> {
  const ui = requestUi(ctx);
  const content = await addLayouts(ctx, page, config.skipInheritedLayouts ? [] : ui.layouts);
  if (content instanceof Response) return content;

  const inner: { content: VNode | null } = { content };
  const wrapper = config.skipAppWrapper ? null : await wrapInApp(ctx, inner);
  if (wrapper instanceof Response) return wrapper;

  const pass = new RenderPass(ctx as Context<unknown>, ui.snapshot);
  const html = duringPass(pass, () => renderDocument(pass, inner, wrapper));
  const headers = new Headers(init.headers);
  headers.set("Content-Type", "text/html; charset=utf-8");
  const preload = preloadLinks(pass);
  if (preload !== "") headers.append("Link", preload);
  const { status = 200, statusText } = init;
  const response = new Response("<!DOCTYPE html>" + html, { status, statusText, headers });
  setNonce(response, pass.nonce);
  return response;
}

async function addLayouts<State>(
  ctx: Context<State>,
  page: VNode | null,
  layouts: ReturnType<typeof requestUi>["layouts"],
): Promise<VNode | Response | null> {
  let content = page;
  for (const layout of layouts.toReversed()) {
    const child = content;
    ctx.Component = () => child;
    const result = await renderComponent(ctx, layout, null, ctx.Component);
    if (result instanceof Response) return result;
    content = result;
  }
  return content;
}

async function wrapInApp<State>(
  ctx: Context<State>,
  inner: { content: VNode | null },
): Promise<VNode | Response | null> {
  const { app } = requestUi(ctx);
  if (app === null) return null;
  const Component = () => inner.content;
  if (isAsync(app)) {
    ctx.Component = Component;
    return await app(ctx as unknown as PageProps<unknown, State>);
  }
  const props = pageProps(ctx, null, Component);
  return h(app as AnyComponent<typeof props>, props) as VNode;
}

/**
 * Renders the page first, so that the elements of `<Head>` are known when the app wrapper renders its
 * `<head>`. Adds missing document tags.
 */
function renderDocument(
  pass: RenderPass,
  inner: { content: VNode | null },
  wrapper: VNode | null,
): string {
  let html = renderToString(inner.content ?? h(Fragment, null));
  if (wrapper !== null) {
    inner.content = raw(html);
    html = renderToString(wrapper);
  }
  const { seen } = pass;
  if (seen.html && seen.head && seen.body) return html;
  let rest: VNode = raw(html);
  if (!seen.body) rest = h("body", null, rest, h(PageScripts, null));
  if (!seen.head) {
    rest = h(Fragment, null, h("head", null, h("meta", { charset: "utf-8" })), rest);
  }
  return renderToString(seen.html ? rest : h("html", null, rest));
}

/** Rendered markup that must not be escaped again. */
function raw(html: string): VNode {
  return jsxTemplate([html]) as VNode;
}

/** Makes the browser preload the page's scripts. */
function preloadLinks({ islands, snapshot, ctx }: RenderPass): string {
  if (islands.size === 0 || snapshot.clientEntry === "") return "";
  const files = new Set([snapshot.clientEntry, ...[...islands].map((island) => island.file)]);
  return [...files]
    .map((file) => `<${encodeURI(ctx.config.basePath + file)}>; rel="modulepreload"; as="script"`)
    .join(", ");
}
