import { type AnyComponent, type FunctionComponent, h, type VNode } from "preact";
import type { Context } from "../context.ts";
import type { AsyncComponent, PageProps, RouteComponent } from "../types.ts";

/** Whether a component is an `async` function. */
export function isAsync<State>(
  component: RouteComponent<State>,
): component is AsyncComponent<PageProps<unknown, State>> {
  return component.constructor.name === "AsyncFunction";
}

/** The properties of a page, layout or app wrapper. */
export function pageProps<State>(
  ctx: Context<State>,
  data: unknown,
  Component: FunctionComponent,
): PageProps<unknown, State> {
  const { config, error, info, isPartial, params, req, state, url, route } = ctx;
  return { Component, config, data, error, info, isPartial, params, req, state, url, route };
}

/** Creates an element. An `async` component is awaited, and may return a response instead. */
export async function renderComponent<State>(
  ctx: Context<State>,
  component: RouteComponent<State>,
  data: unknown,
  Component: FunctionComponent,
): Promise<VNode | Response | null> {
  const props = pageProps(ctx, data, Component);
  if (isAsync(component)) return await component(props);
  return h(component as AnyComponent<typeof props>, props) as VNode;
}
