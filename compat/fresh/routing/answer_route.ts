import type { Context } from "../context.ts";
import { type HandlerFn, isByMethod, type PageResponse } from "../handlers.ts";
import { renderComponent } from "../render/components.ts";
import { requestUi } from "../http/request_ui.ts";
import type { Route } from "../types.ts";
import type { Method } from "./route_table.ts";

/**
 * Runs a route: calls its handler, and renders its component with the result.
 *
 * @param status status of the page, unless the handler sets one
 */
export async function answerRoute<State>(
  ctx: Context<State>,
  route: Route<State>,
  status = 200,
): Promise<Response> {
  const ui = requestUi(ctx);
  if (route.config?.skipAppWrapper) ui.app = null;
  if (route.config?.skipInheritedLayouts) ui.layouts = [];

  const handler = selectHandler(route, ctx.req.method.toUpperCase() as Method);
  if (handler === undefined) return await ctx.next();
  const result = await handler(ctx);
  if (result instanceof Response) return result;
  return await renderResult(ctx, route, result, status);
}

function selectHandler<State>(
  { handler }: Route<State>,
  method: Method,
): HandlerFn<unknown, State> | undefined {
  if (!isByMethod(handler)) return handler;
  return handler[method] ?? (method === "HEAD" ? handler.GET : undefined);
}

async function renderResult<State>(
  ctx: Context<State>,
  route: Route<State>,
  result: PageResponse<unknown>,
  status: number,
): Promise<Response> {
  const init = { status: result.status ?? status, headers: new Headers(result.headers) };
  if (route.component === undefined) return await ctx.render(null, init);
  const vnode = await renderComponent(ctx, route.component, result.data, () => null);
  return vnode instanceof Response ? vnode : await ctx.render(vnode, init);
}
